/** Commands that a person pastes into a shell, to the letter. */
import { describe, expect, test } from '@jest/globals';
import {
  deregister,
  dropPolicies,
  keepOnePolicy,
  makeListenerAgain,
  moveHealthCheck,
  quote,
  setPolicies,
  startSwitch,
  switchParameters,
} from '../../../functions/drift-check/mend.ts';
import { POLICY_NAME } from '../../../functions/shared/policies.ts';
import { listener, loadBalancer, state } from './situations.ts';

test.each([
  ['web-1', 'web-1'],
  ['Protocol=TCP,LoadBalancerPort=80', 'Protocol=TCP,LoadBalancerPort=80'],
  ['', "''"],
  ['two words', "'two words'"],
  ['$HOME', "'$HOME'"],
  ['rest*', "'rest*'"],
  ['*rest', "'*rest'"],
  ["it's", `'it'\\''s'`],
])('%s is quoted as %s', (text, quoted) => {
  expect(quote(text)).toBe(quoted);
});

describe('the switch is run again', () => {
  const ALL = {
    LoadBalancerName: ['web'],
    Direction: ['enable'],
    FleetTagKey: ['fleet'],
    FleetTagValue: ['web'],
    FinalMode: ['proxy'],
    ExcludePorts: ['22'],
  };
  const included = state({ parameters: { IncludePorts: '80,81,90', FinalMode: 'both' } });

  test.each<[string, Parameters<typeof switchParameters>, object]>([
    ['as it was run', ['web', state()], ALL],
    ['the other way', ['web', state(), { direction: 'disable' }], { ...ALL, Direction: ['disable'] }],
    [
      'at the ports that it was told',
      ['web', included],
      { LoadBalancerName: ['web'], Direction: ['enable'], FinalMode: ['both'], IncludePorts: ['80,81,90'] },
    ],
    [
      'without ports that are gone',
      ['web', included, { withoutPorts: [81] }],
      { LoadBalancerName: ['web'], Direction: ['enable'], FinalMode: ['both'], IncludePorts: ['80,90'] },
    ],
    [
      'without any, where all are gone',
      ['web', included, { withoutPorts: [80, 81, 90] }],
      { LoadBalancerName: ['web'], Direction: ['enable'], FinalMode: ['both'] },
    ],
    [
      'of an older version, which kept no parameters',
      ['web', { ...state(), parameters: undefined } as unknown as ReturnType<typeof state>],
      { LoadBalancerName: ['web'], Direction: ['enable'] },
    ],
  ])('%s', (_desc, given, parameters) => {
    expect(switchParameters(...given)).toEqual(parameters);
  });

  test('by one command', () => {
    expect(startSwitch('proxyflip-switch', 'web', included, { withoutPorts: [81] })).toBe(
      `aws ssm start-automation-execution --document-name proxyflip-switch --parameters '{"LoadBalancerName":["web"],"Direction":["enable"],"FinalMode":["both"],"IncludePorts":["80,90"]}'`,
    );
  });

  test('not with a list of ports that makes no sense', () => {
    expect(() => switchParameters('web', state({ parameters: { IncludePorts: 'ssh' } }))).toThrow(
      'ERR_INVALID_PORT_LIST: IncludePorts',
    );
  });
});

describe('policies', () => {
  const set = 'aws elb set-load-balancer-policies-for-backend-server --load-balancer-name web --instance-port 81';

  test.each([
    ['one', ['own'], 'own'],
    ['two', ['own', 'with space'], "own 'with space'"],
    ['none, which is a list all the same', [], "'[]'"],
  ])('are set: %s', (_desc, names, text) => {
    expect(setPolicies('web', 81, names)).toBe(`${set} --policy-names ${text}`);
  });

  const crowded = loadBalancer({ 81: ['their', POLICY_NAME, 'some-auth', 'other'] });
  const foreign = loadBalancer({ 81: ['some-auth', 'their', 'other'] });

  test.each([
    ['the named ones go', dropPolicies(crowded, 81, ['their', 'other']), `${POLICY_NAME} some-auth`],
    ['all of them go', dropPolicies(crowded, 81, ['their', POLICY_NAME, 'some-auth', 'other']), "'[]'"],
    ['a port without any keeps none', dropPolicies(loadBalancer({}), 81, ['their']), "'[]'"],
    ['ours stays, and what is of another type', keepOnePolicy(crowded, 81, POLICY_NAME), `${POLICY_NAME} some-auth`],
    ['the first stays where ours is not there', keepOnePolicy(foreign, 81, POLICY_NAME), 'some-auth their'],
  ])('of a port: %s', (_desc, command, text) => {
    expect(command).toBe(`${set} --policy-names ${text}`);
  });
});

describe('a listener is made again', () => {
  const again = (port: number, text: string) =>
    `aws elb delete-load-balancer-listeners --load-balancer-name web --load-balancer-ports ${port} && aws elb create-load-balancer-listeners --load-balancer-name web --listeners ${text}`;

  test.each([
    [
      'HTTP',
      listener('HTTP', 80, 'HTTP', 8080),
      'Protocol=TCP,LoadBalancerPort=80,InstanceProtocol=TCP,InstancePort=8080',
    ],
    [
      'TCP',
      listener('TCP', 80, 'SSL', 8080),
      'Protocol=TCP,LoadBalancerPort=80,InstanceProtocol=TCP,InstancePort=8080',
    ],
    [
      'TCP that names a certificate, which it has no use for',
      listener('TCP', 80, 'SSL', 8080, 'arn:aws:acm:cert'),
      'Protocol=TCP,LoadBalancerPort=80,InstanceProtocol=TCP,InstancePort=8080',
    ],
    [
      'HTTPS, with its certificate',
      listener('HTTPS', 443, 'HTTP', 8080, 'arn:aws:acm:cert'),
      'Protocol=SSL,LoadBalancerPort=443,InstanceProtocol=TCP,InstancePort=8080,SSLCertificateId=arn:aws:acm:cert',
    ],
    [
      'SSL, with its certificate',
      listener('SSL', 443, 'SSL', 8080, 'arn:aws:acm:cert'),
      'Protocol=SSL,LoadBalancerPort=443,InstanceProtocol=TCP,InstancePort=8080,SSLCertificateId=arn:aws:acm:cert',
    ],
    [
      'SSL without a certificate',
      listener('SSL', 443, 'SSL', 8080),
      'Protocol=SSL,LoadBalancerPort=443,InstanceProtocol=TCP,InstancePort=8080',
    ],
  ])('from %s', (_desc, made, text) => {
    expect(makeListenerAgain('web', made)).toBe(again(made.loadBalancerPort, text));
  });
});

test('the health check moves, and is else as it was', () => {
  expect(moveHealthCheck(loadBalancer(), '8078')).toBe(
    'aws elb configure-health-check --load-balancer-name web --health-check Target=HTTP:8078/healthz,Interval=10,Timeout=5,UnhealthyThreshold=2,HealthyThreshold=3',
  );
});

test('the health check moves with the service’s own figures where it has none', () => {
  expect(moveHealthCheck(loadBalancer({}, { healthCheck: undefined }), '9000')).toBe(
    'aws elb configure-health-check --load-balancer-name web --health-check Target=HTTP:9000/healthz,Interval=30,Timeout=5,UnhealthyThreshold=2,HealthyThreshold=10',
  );
});

test('instances are taken from a load balancer by one command', () => {
  expect(deregister('web', ['i-1', 'i-2'])).toBe(
    'aws elb deregister-instances-from-load-balancer --load-balancer-name web --instances i-1 i-2',
  );
});
