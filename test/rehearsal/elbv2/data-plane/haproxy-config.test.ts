import { describe, expect, test } from '@jest/globals';
import { checkedServers, haproxyConfig, healthBackend } from '../../../../rehearsal/elbv2/data-plane/haproxy-config.ts';
import type {
  ActionConfiguration,
  ConditionConfiguration,
  Configuration,
  TargetGroupConfiguration,
} from '../../../../rehearsal/elbv2/data-plane.ts';
import { serverState } from '../../../../rehearsal/nodes/server-state.ts';

const GROUP: TargetGroupConfiguration = {
  arn: 'arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/chat/0123456789abcdef',
  protocol: 'HTTP',
  targets: [
    { instanceId: 'i-1', privateIpAddress: '10.0.1.11', port: 81 },
    { instanceId: 'i-1', privateIpAddress: '10.0.1.11', port: 82 },
  ],
  healthCheck: {
    protocol: 'HTTP',
    port: undefined,
    path: '/healthz',
    intervalSeconds: 10,
    timeoutSeconds: 5,
    unhealthyThreshold: 3,
    healthyThreshold: 5,
    codes: '200-299',
  },
  stickinessSeconds: undefined,
  drainingSeconds: 300,
};
const FORWARD: ActionConfiguration = { type: 'forward', targetGroupArn: GROUP.arn };
const REDIRECT = {
  type: 'redirect',
  protocol: 'HTTPS',
  host: '#{host}',
  port: '443',
  path: '/#{path}',
  query: '#{query}',
  statusCode: 301,
} as const;

function linesOf(change: Partial<Configuration>): string[] {
  const configuration: Configuration = {
    loadBalancerArn: 'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/web/1',
    securityGroupIds: [],
    listeners: [],
    targetGroups: [],
    idleTimeoutSeconds: 75,
    isHttp2Enabled: true,
    forwardedFor: 'append',
    hasClientPort: false,
    ...change,
  };
  return haproxyConfig(configuration, '/run/elb').split('\n');
}
const listener = (action: ActionConfiguration, conditions: readonly ConditionConfiguration[] = []) => ({
  listeners: [
    {
      port: 80,
      protocol: 'HTTP' as const,
      rules: [
        { conditions, action },
        { conditions: [], action: FORWARD },
      ],
    },
  ],
});
const containing = (lines: readonly string[], word: string) => lines.filter((line) => line.includes(word));

describe('a redirect', () => {
  test.each([
    [
      'what the request has',
      {},
      ['"https://%[req.hdr(host),field(1,:)]:443%[path]?%[query]"', '"https://%[req.hdr(host),field(1,:)]:443%[path]"'],
    ],
    [
      'a path of its own, without a query',
      { path: '/new/#{path}', query: '' },
      ['"https://%[req.hdr(host),field(1,:)]:443/new%[path]"'],
    ],
    [
      'what HAProxy would read',
      { host: 'a.example', path: '/100%/$HOME/"x"', query: '' },
      ['"https://a.example:443/100%%/\\$HOME/\\"x\\""'],
    ],
    [
      'a query of its own',
      { host: 'a.example', path: '/', query: 'from=#{host}' },
      ['"https://a.example:443/?from=%[req.hdr(host),field(1,:)]"'],
    ],
    [
      'the port and the scheme of the listener',
      { protocol: '#{protocol}', port: '#{port}', host: 'b.example', query: '' },
      ['"http://b.example:80%[path]"'],
    ],
  ])('with %s', (_, change, expected) => {
    const lines = containing(linesOf(listener({ ...REDIRECT, ...change })), 'redirect code 301');
    expect(lines.map((line) => /location (".*") if/.exec(line)?.[1])).toEqual(expected);
  });
});

describe('conditions', () => {
  test.each([
    ['path-pattern', ['/img/*', '/a?.b'], "path -m reg '^/img/.*$' '^/a.\\.b$'"],
    ['path-pattern', ["/it's"], `path -m reg '^/it'"'"'s$'`],
    ['host-header', ['*.example.com'], "req.hdr(host),field(1,:) -m reg -i '^.*\\.example\\.com$'"],
    ['source-ip', ['192.0.2.0/24', '198.51.100.0/24'], 'src 192.0.2.0/24 198.51.100.0/24'],
  ] as const)('%s %j', (field, values, expected) => {
    expect(containing(linesOf(listener(REDIRECT, [{ field, values }])), 'acl rule-0-0')).toEqual([
      `  acl rule-0-0 ${expected}`,
    ]);
  });
});

test('without HTTP/2 it is not offered; over HTTP there is nothing to offer it by', () => {
  const listeners = [
    { port: 443, protocol: 'HTTPS' as const, rules: [{ conditions: [], action: FORWARD }] },
    ...listener(FORWARD).listeners,
  ];
  const binds = (isHttp2Enabled: boolean) => containing(linesOf({ listeners, isHttp2Enabled }), 'bind ');
  expect(binds(true)).toEqual(['  bind :443 ssl crt /run/elb/certificate.pem alpn h2,http/1.1', '  bind :80']);
  expect(binds(false)[0]).toMatch(/ alpn http\/1\.1$/);
});

test('one idle timeout on both sides, upgraded connections too', () => {
  expect(containing(linesOf({}), ' 75s').map((line) => line.trim().split(' ')[1])).toEqual([
    'client',
    'server',
    'tunnel',
    'http-keep-alive',
  ]);
});

test('a target is checked at the port of the check, or at its own, and once for both backends that follow', () => {
  const servers = (port: number | undefined) =>
    containing(linesOf({ targetGroups: [{ ...GROUP, healthCheck: { ...GROUP.healthCheck, port } }] }), ' check inter');
  expect(servers(undefined).map((line) => /:(\d+) /.exec(line)?.[1])).toEqual(['81', '82']);
  expect(servers(8078).map((line) => /:(\d+) /.exec(line)?.[1])).toEqual(['8078', '8078']);
});

describe('what a reload hands on', () => {
  // Fields 6 and 13: operational state (0 stopped, 2 running) and the check's counter, of up to rise + fall - 1.
  test.each([
    ['a new target needs one check to pass', undefined, ['0', '4']],
    ['one that has failed needs them all', { isUp: false, count: 0 }, ['0', '0']],
    ['up stays up', { isUp: true, count: 7 }, ['2', '7']],
  ])('%s', (_, known, expected) => {
    const key = `${healthBackend(GROUP.arn)}/i-1_81`;
    const text = serverState(checkedServers([GROUP], new Map(known === undefined ? [] : [[key, known]])));
    const fields = text.split('\n')[2]?.split(' ') ?? [];
    expect([fields[3], fields[5], fields[12]]).toEqual(['i-1_81', ...expected]);
  });
});
