/**
 * `dist/beanstalk/`: what goes beside an application into its source bundle, for environments of Elastic Beanstalk (Amazon Linux 2023).
 *
 *   classic/           with a Classic Load Balancer: the receiver, listeners, hooks
 *   classic-policy/    the PROXY protocol policy: a file more, in a later deployment
 *   alb/               with an Application Load Balancer, which carries WebSockets by itself
 *
 * From the files below nginx/ and container/, and those of beanstalk/ that are Beanstalk's own.
 */
import { readFileSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';

const read = (file) => readFileSync(file, 'utf8');
/** HAProxy's side is the container's, and is put together on the instance by the same program. */
const FRONT = [
  'nginx/haproxy/haproxy.cfg',
  'nginx/haproxy/kinds.cfg',
  'nginx/haproxy/port.cfg',
  'container/haproxy.cfg',
  'container/choose.cfg',
  'container/port.cfg',
];

const setting = (name) => new RegExp(`^${name}='?([^'\\n]*)`, 'm').exec(read('beanstalk/beanstalk.env'))?.[1] ?? '';

/** A file of nginx/ with the files that it includes in their places: Beanstalk copies conf.d, and promises nothing of folders in it. */
function flattened(text, files) {
  return text.replace(/^( *)include proxyflip\/(\S+);$/gm, (line, indent, name) => {
    const content = files[name];
    if (content === undefined) throw new Error(`nothing stands for "${line.trim()}"`);
    return flattened(content, files)
      .trimEnd()
      .replace(/^(?=.)/gm, indent);
  });
}

/** nginx's listeners: HAProxy's three sockets for the port, and nothing else. */
const listen = (port) =>
  [
    ...['plain', 'claimed', 'believed'].map(
      (kind) => `listen unix:/run/proxyflip/${port}-${kind}.sock default_server proxy_protocol;`,
    ),
    '# What HAProxy says of a connection is believed; nobody else reaches these sockets.',
    'real_ip_header proxy_protocol;',
    'set_real_ip_from unix:;',
  ].join('\n');

function nginxConfiguration() {
  const http = setting('LISTEN_ON');
  const https = setting('LISTEN_ON_TLS');
  const destination = `${setting('DESTINATION_HOSTNAME')}:${setting('DESTINATION_PORT')}`;
  const host = (name, port) => read(`nginx/vhosts/${name}.conf`).replaceAll('@PORT@', port);
  return flattened(read('nginx/proxyflip.conf'), {
    // No Application Load Balancer beside the Classic one: such an environment has one kind.
    'alb.conf': '',
    'upstreams.conf': read('nginx/upstreams.conf').replace(/127\.0\.0\.1:\d+/g, destination),
    'vhosts/*.conf': `${host('http', http)}\n${host('https', https)}`,
    'snippets/port.conf': read('nginx/snippets/port.conf'),
    'snippets/application.conf': read('nginx/snippets/application.conf'),
    [`listen/${http}.conf`]: listen(http),
    [`listen/${https}.conf`]: listen(https),
  });
}

/** As the `files` of a configuration file have them: octal modes of six digits. */
const file = (source, mode = '000644') => ({ mode, owner: 'root', group: 'root', content: read(source) });

function classicConfiguration() {
  const listener = (ListenerProtocol, InstancePort) => ({ ListenerProtocol, InstancePort, InstanceProtocol: 'TCP' });
  return {
    packages: { yum: { haproxy: [], socat: [] } },
    files: {
      ...Object.fromEntries(FRONT.map((each) => [`/usr/share/proxyflip/${each}`, file(each)])),
      '/usr/share/proxyflip/container/entrypoint.sh': file('container/entrypoint.sh', '000755'),
      '/usr/local/bin/receiver': file('beanstalk/receiver.sh', '000755'),
      '/etc/proxyflip/beanstalk.env': file('beanstalk/beanstalk.env'),
      '/etc/systemd/system/proxyflip.service': file('beanstalk/proxyflip.service'),
      '/etc/systemd/system/nginx.service.d/proxyflip.conf': file('beanstalk/nginx.conf'),
    },
    option_settings: {
      'aws:elb:listener:80': listener('TCP', setting('LISTEN_ON')),
      'aws:elb:listener:443': listener('SSL', setting('LISTEN_ON_TLS')),
      'aws:elb:loadbalancer': { CrossZone: true },
      'aws:elb:policies': { ConnectionDrainingEnabled: true, ConnectionSettingIdleTimeout: 3600 },
      // By Beanstalk's own server on port 80, which no listener feeds and so no policy meets: a check carries no PROXY line.
      'aws:elasticbeanstalk:application': { 'Application Healthcheck URL': 'HTTP:80/' },
    },
  };
}

const policy = {
  option_settings: {
    'aws:elb:policies:proxyflip': { ProxyProtocol: true, InstancePorts: ':all' },
    'aws:elasticbeanstalk:application:environment': { PROXYFLIP_MODE: 'proxy' },
  },
};

const alb = {
  option_settings: {
    'aws:elasticbeanstalk:environment': { LoadBalancerType: 'application' },
    // The longest that there is; the application's pings come before it.
    'aws:elbv2:loadbalancer': { IdleTimeout: 4000 },
    // For fallbacks of WebSockets, whose requests have to meet one process.
    'aws:elasticbeanstalk:environment:process:default': {
      StickinessEnabled: true,
      StickinessType: 'lb_cookie',
      StickinessLBCookieDuration: 86400,
    },
  },
};

/** Beanstalk's own server has the headers of an upgrade; what it lacks are times. */
const albNginx = () =>
  `# How long Beanstalk's own server waits for a silent WebSocket. Managed by proxyflip.\n${
    read('nginx/snippets/application.conf').match(/^# An open WebSocket[\s\S]*/m)?.[0]
  }`;

const HEAD = '# Written by proxyflip (npm run build). Beside your own files of .ebextensions.\n';

/** @param out  the directory that is made anew */
export async function buildBeanstalk(out = 'dist/beanstalk') {
  await rm(out, { recursive: true, force: true });
  const hooks = ['prebuild', 'predeploy', 'postdeploy'].flatMap((phase) =>
    ['hooks', 'confighooks'].map((kind) => [
      `classic/.platform/${kind}/${phase}/50_proxyflip.sh`,
      read(`beanstalk/hooks/${phase}.sh`),
    ]),
  );
  const files = {
    'classic/.ebextensions/proxyflip.config': HEAD + stringify(classicConfiguration(), { lineWidth: 0 }),
    'classic/.platform/nginx/conf.d/proxyflip.conf': nginxConfiguration(),
    ...Object.fromEntries(hooks),
    'classic-policy/.ebextensions/proxyflip-policy.config': HEAD + stringify(policy),
    'alb/.ebextensions/proxyflip.config': HEAD + stringify(alb),
    'alb/.platform/nginx/conf.d/proxyflip.conf': albNginx(),
    'alb/.platform/hooks/predeploy/50_proxyflip.sh': read('beanstalk/hooks/predeploy.sh'),
    'alb/.platform/confighooks/predeploy/50_proxyflip.sh': read('beanstalk/hooks/predeploy.sh'),
  };
  for (const [name, content] of Object.entries(files)) {
    const target = path.join(out, name);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, content);
    // Beanstalk runs hooks as the files that they are.
    if (name.endsWith('.sh')) await chmod(target, 0o755);
  }
}
