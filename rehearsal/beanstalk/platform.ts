/**
 * An instance as Elastic Beanstalk's Amazon Linux 2023 platform lays it out, and what its engine does with a source bundle, as far as the
 * bundle's parts of ours need it.
 *
 * An assumption throughout: from the developer guide's pages on extending Linux platforms and on the instance deployment workflow, on
 * Debian's programs. A section of a configuration file that is not played here is an error, by name.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { Machine } from '../world.ts';

/** Beanstalk's own server, on the port that no listener feeds here: where the application is, by way of conf.d/elasticbeanstalk. */
const NGINX_CONF = `user nginx;
error_log /var/log/nginx/error.log warn;
pid /run/nginx.pid;
worker_processes auto;
events {
    worker_connections 1024;
}
http {
    include mime.types;
    default_type application/octet-stream;
    include conf.d/*.conf;
    map $http_upgrade $connection_upgrade {
        default "upgrade";
    }
    server {
        listen 80 default_server;
        access_log /var/log/nginx/access.log;
        client_header_timeout 60;
        client_body_timeout 60;
        keepalive_timeout 60;
        include conf.d/elasticbeanstalk/*.conf;
    }
}
`;
const APPLICATION_CONF = `location / {
    proxy_pass http://127.0.0.1:8080;
    proxy_http_version 1.1;
    proxy_set_header Connection $connection_upgrade;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
}
`;
/** Environment properties are asked for by hooks: `get-config environment -k NAME`. */
const GET_CONFIG = `#!/bin/sh
grep -m1 "^$3=" /opt/elasticbeanstalk/environment | cut -d= -f2-
`;

export type OptionSettings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What is beside the application in a source bundle: `.ebextensions` and `.platform`. */
export interface Bundle {
  /** Path in the bundle → content and mode. */
  readonly files: ReadonlyMap<string, BundleFile>;
  /** Of all its configuration files. */
  readonly optionSettings: OptionSettings;
}

interface BundleFile {
  readonly content: string;
  readonly mode: string;
}

/** @param directories  put together, a later one over an earlier */
export function readBundle(directories: readonly string[]): Bundle {
  const files = new Map<string, BundleFile>();
  for (const directory of directories) {
    for (const name of filesBelow(directory)) {
      const mode = name.endsWith('.sh') ? '0755' : '0644';
      files.set(name, { content: readFileSync(path.join(directory, name), 'utf8'), mode });
    }
  }
  const optionSettings: Record<string, Record<string, unknown>> = {};
  for (const { option_settings } of configurations(files)) {
    for (const [namespace, values] of Object.entries(option_settings ?? {})) {
      optionSettings[namespace] = { ...optionSettings[namespace], ...values };
    }
  }
  return { files, optionSettings };
}

interface Configuration {
  readonly packages?: { readonly yum?: Readonly<Record<string, unknown>> };
  readonly files?: Readonly<Record<string, { readonly mode: string; readonly content: string }>>;
  readonly option_settings?: OptionSettings;
}
const PLAYED = ['packages', 'files', 'option_settings'];

function configurations(files: Bundle['files']): Configuration[] {
  const names = [...files.keys()].filter((name) => /^\.ebextensions\/[^/]+\.config$/.test(name)).sort();
  return names.map((name) => {
    const configuration = parse(files.get(name)?.content ?? '');
    const unknown = Object.keys(configuration).find((key) => !PLAYED.includes(key));
    if (unknown !== undefined) throw new Error(`${name} has the section ${unknown}, which the rehearsal does not play`);
    return configuration;
  });
}

/** As an instance comes up, before the first deployment. */
export async function layOutPlatform(machine: Machine): Promise<void> {
  await put(machine, '/usr/share/elasticbeanstalk/nginx/nginx.conf', { content: NGINX_CONF, mode: '0644' });
  const application = '/usr/share/elasticbeanstalk/nginx/conf.d/elasticbeanstalk/00_application.conf';
  await put(machine, application, { content: APPLICATION_CONF, mode: '0644' });
  await put(machine, '/opt/elasticbeanstalk/bin/get-config', { content: GET_CONFIG, mode: '0755' });
}

/**
 * One deployment, of an application version (`hooks`) or of a configuration (`confighooks`), in the order of the developer guide's
 * workflow. The application itself goes on: what its own restart does to its WebSockets is not the receiver's doing.
 *
 * @param environment  properties beside those of the bundle
 */
export async function deploy(
  machine: Machine,
  bundle: Bundle,
  kind: 'hooks' | 'confighooks',
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const properties = { ...bundle.optionSettings['aws:elasticbeanstalk:application:environment'], ...environment };
  await put(machine, '/opt/elasticbeanstalk/environment', {
    content: Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
    mode: '0644',
  });
  for (const { packages, files } of configurations(bundle.files)) {
    for (const name of Object.keys(packages?.yum ?? {})) await run(machine, `command -v ${name}`);
    for (const [target, { content, mode }] of Object.entries(files ?? {})) {
      await put(machine, target, { content, mode: mode.slice(-4) });
    }
  }
  await run(machine, 'rm -rf /var/app/staging && mkdir -p /var/app/staging');
  for (const [name, file] of bundle.files) await put(machine, `/var/app/staging/${name}`, file);
  await runHooks(machine, kind, 'prebuild');
  await run(
    machine,
    `rm -rf /var/proxy/staging && mkdir -p /var/proxy/staging
     cp -r /usr/share/elasticbeanstalk/nginx /var/proxy/staging/
     if [ -d /var/app/staging/.platform/nginx ]; then cp -r /var/app/staging/.platform/nginx/. /var/proxy/staging/nginx/; fi`,
  );
  await runHooks(machine, kind, 'predeploy');
  await run(
    machine,
    `rm -rf /etc/nginx/conf.d && cp -r /var/proxy/staging/nginx/. /etc/nginx/
     nginx -t -q && systemctl daemon-reload && systemctl reload-or-restart nginx`,
  );
  await runHooks(machine, kind, 'postdeploy');
}

async function runHooks(machine: Machine, kind: string, phase: string): Promise<void> {
  await run(
    machine,
    `cd /var/app/staging; for hook in .platform/${kind}/${phase}/*; do if [ -x "$hook" ]; then "./$hook"; fi; done`,
  );
}

async function put(machine: Machine, target: string, { content, mode }: BundleFile): Promise<void> {
  const into = `mkdir -p "$(dirname ${target})" && cat >${target} && chmod ${mode} ${target}`;
  const { exitCode, stderr } = await machine.exec(['sh', '-c', into], { stdin: content });
  if (exitCode !== 0) throw new Error(`machine ${machine.name}: ${target}: ${stderr.trim()}`);
}

/** @throws Error  with what was said last */
export async function run(machine: Machine, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await machine.exec(['bash', '-euo', 'pipefail', '-c', script]);
  if (exitCode !== 0) {
    throw new Error(
      `machine ${machine.name}: ${script.trim()} ended with ${exitCode}: ${`${stdout}${stderr}`.trim().slice(-600)}`,
    );
  }
  return stdout;
}

function filesBelow(directory: string, below = ''): string[] {
  return readdirSync(path.join(directory, below), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(below, entry.name);
    return entry.isDirectory() ? filesBelow(directory, name) : [name];
  });
}
