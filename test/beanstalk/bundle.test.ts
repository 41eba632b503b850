/** What the build writes for Elastic Beanstalk, before any instance sees it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readBundle } from '../../rehearsal/beanstalk/platform.ts';
import { ROOT } from '../../rehearsal/paths.ts';
import { buildBeanstalk } from '../../tools/build-beanstalk.mjs';

const OUT = mkdtempSync(path.join(tmpdir(), 'proxyflip-beanstalk-'));
const source = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const bundle = (...names: string[]) => readBundle(names.map((name) => path.join(OUT, name)));
const content = (name: string, file: string): string => bundle(name).files.get(file)?.content ?? '';

beforeAll(() => buildBeanstalk(OUT));
afterAll(() => rmSync(OUT, { recursive: true }));

describe('with a Classic Load Balancer', () => {
  test('listeners are TCP to TCP and SSL to TCP, and the health check asks a port that none of them feeds', () => {
    const { optionSettings } = bundle('classic');

    expect(optionSettings['aws:elb:listener:80']).toEqual({
      ListenerProtocol: 'TCP',
      InstancePort: '81',
      InstanceProtocol: 'TCP',
    });
    expect(optionSettings['aws:elb:listener:443']).toMatchObject({ ListenerProtocol: 'SSL', InstancePort: '444' });
    expect(optionSettings['aws:elasticbeanstalk:application']).toEqual({ 'Application Healthcheck URL': 'HTTP:80/' });
  });

  test('the policy comes by a bundle of its own, on every instance port', () => {
    expect(bundle('classic').optionSettings['aws:elb:policies:proxyflip']).toBeUndefined();
    expect(bundle('classic', 'classic-policy').optionSettings).toMatchObject({
      'aws:elb:listener:80': { InstancePort: '81' },
      'aws:elb:policies:proxyflip': { ProxyProtocol: true, InstancePorts: ':all' },
      'aws:elasticbeanstalk:application:environment': { PROXYFLIP_MODE: 'proxy' },
    });
  });

  test('nginx has one file, with everything that it includes in its place', () => {
    const nginx = content('classic', '.platform/nginx/conf.d/proxyflip.conf');

    expect(nginx).not.toMatch(/^\s*include /m);
    expect(nginx).not.toContain('@');
    expect(nginx.match(/^server \{/gm)?.length).toBe(2);
    expect(
      nginx.match(/^ {4}listen .*/gm)?.every((line) => /unix:\/run\/proxyflip\/(81|444)-\w+\.sock/.test(line)),
    ).toBe(true);
    expect(nginx).toContain('server 127.0.0.1:8080;');
  });

  test('its directives are those of the shared files', () => {
    const directives = (text: string) =>
      text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => /^[a-z].*;$/.test(line));
    const nginx = new Set(directives(content('classic', '.platform/nginx/conf.d/proxyflip.conf')));

    const shared = ['proxyflip.conf', 'snippets/application.conf', 'snippets/port.conf'].flatMap((file) =>
      directives(source(`nginx/${file}`)),
    );
    expect(shared.length).toBeGreaterThan(25);
    expect(shared.filter((line) => !line.startsWith('include ') && !nginx.has(line))).toEqual([]);
  });

  test('hooks are the same for versions and for configurations, and can be run', () => {
    for (const phase of ['prebuild', 'predeploy', 'postdeploy']) {
      const [ofVersion, ofConfiguration] = ['hooks', 'confighooks'].map((kind) =>
        path.join(OUT, `classic/.platform/${kind}/${phase}/50_proxyflip.sh`),
      ) as [string, string];
      expect(readFileSync(ofVersion, 'utf8')).toBe(readFileSync(ofConfiguration, 'utf8'));
      for (const file of [ofVersion, ofConfiguration]) expect(statSync(file).mode & 0o111).toBe(0o111);
    }
  });

  test('the program’s own files are all there', () => {
    const configuration = content('classic', '.ebextensions/proxyflip.config');
    const needed = [
      ...source('container/entrypoint.sh').matchAll(/"\$SOURCES"\/((?:nginx\/haproxy|container)\/[\w.]+\.cfg)/g),
    ];

    expect(needed.length).toBeGreaterThan(4);
    for (const [, file] of needed) expect(configuration).toContain(`/usr/share/proxyflip/${file}:`);
  });
});

test('with an Application Load Balancer: times and stickiness, and nothing of PROXY protocol', () => {
  const files = readdirSync(path.join(OUT, 'alb'), { recursive: true, encoding: 'utf8' });
  const all = files.filter((file) => /\.(config|conf|sh)$/.test(file)).map((file) => content('alb', file));

  expect(all.length).toBe(4);
  expect(all.join('\n')).toContain('proxy_read_timeout 4060s;');
  expect(all.join('\n')).not.toMatch(/proxy_protocol|ProxyProtocol|haproxy/);
  expect(bundle('alb').optionSettings['aws:elasticbeanstalk:environment:process:default']).toMatchObject({
    StickinessEnabled: true,
    StickinessType: 'lb_cookie',
  });
});
