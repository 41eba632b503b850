/** Every finding about listeners, the health check and neighbours as it is told, whole. */
import { describe } from '@jest/globals';
import { compareListeners } from '../../../functions/drift-check/compare-listeners.ts';
import type { Draft } from '../../../functions/drift-check/situation.ts';
import {
  bothReceiver,
  findings,
  LISTENERS,
  listener,
  loadBalancer,
  noReceiver,
  plainReceiver,
  receiver,
  SWITCH,
  SWITCH_OFF,
  state,
} from './situations.ts';

const [TCP_80, SSL_81] = LISTENERS;
const fedBy = (...listeners: ReturnType<typeof listener>[]) => loadBalancer(undefined, { listeners });
const unreachable = { 'i-1': { unreachable: 'its agent is ConnectionLost' } };
const staysBoth = state({ mode: 'both', parameters: { FinalMode: 'both' } });

const found = findings(compareListeners);

describe('a switched port without a listener', () => {
  const removed: Draft = {
    kind: 'listener-removed',
    severity: 'NEXT_CHANGE_FAILS',
    where: 'port 81',
    expected: 'a TCP or SSL listener that feeds it',
    observed: 'no listener',
    began: 0,
    cause: '',
    mend: SWITCH,
  };

  found([
    ['is left to the next run', { loadBalancer: fedBy(TCP_80) }, [removed]],
    [
      'is left out of what the next run is told to switch, which would be refused',
      { state: state({ parameters: { IncludePorts: '80, 81' } }), loadBalancer: fedBy(TCP_80) },
      [
        {
          ...removed,
          mend: `aws ssm start-automation-execution --document-name proxyflip-switch --parameters '{"LoadBalancerName":["web"],"Direction":["enable"],"IncludePorts":["80"]}'`,
        },
      ],
    ],
    [
      'is switched off where there is no other: an enable would find no port',
      { loadBalancer: fedBy() },
      [
        { ...removed, where: 'port 80', mend: SWITCH_OFF },
        { ...removed, mend: SWITCH_OFF },
      ],
    ],
  ]);
});

describe('a switched port that is fed otherwise', () => {
  const scheme: Draft = {
    kind: 'listener-scheme',
    severity: 'EVERY_REQUEST_FAILS',
    where: 'port 80',
    expected: 'fed as http',
    observed: 'fed as https, by listener SSL:444',
    began: 0,
    cause: 'the listener was made again: it cannot be changed',
    mend: SWITCH,
  };

  found([
    [
      'by SSL, and it redirects to https: for ever',
      { loadBalancer: fedBy(listener('SSL', 444, 'TCP', 80), SSL_81) },
      [scheme],
    ],
    [
      'by both',
      { loadBalancer: fedBy(TCP_80, SSL_81, listener('TCP', 8081, 'TCP', 81)) },
      [
        {
          ...scheme,
          severity: 'UNTIDY',
          where: 'port 81',
          expected: 'fed as https',
          observed: 'fed as mixed, by listener SSL:443, TCP:8081',
        },
      ],
    ],
    [
      'by two of the same kind is not otherwise',
      { loadBalancer: fedBy(...LISTENERS, listener('TCP', 8081, 'TCP', 80)) },
      [],
    ],
  ]);
});

describe('a listener that does not write the line where the receiver reads it', () => {
  const protocol: Draft = {
    kind: 'listener-protocol',
    severity: 'EVERY_REQUEST_FAILS',
    where: 'listener 443',
    expected: 'instance protocol TCP to instance port 81',
    observed: 'HTTPS to HTTP:81',
    began: 0,
    cause: 'the listener was made again: it cannot be changed',
    mend: 'aws elb delete-load-balancer-listeners --load-balancer-name web --load-balancer-ports 443 && aws elb create-load-balancer-listeners --load-balancer-name web --listeners Protocol=SSL,LoadBalancerPort=443,InstanceProtocol=TCP,InstancePort=81,SSLCertificateId=arn:aws:acm:cert',
  };
  const https = fedBy(TCP_80, listener('HTTPS', 443, 'HTTP', 81, 'arn:aws:acm:cert'));
  const ssl = fedBy(TCP_80, listener('SSL', 443, 'SSL', 81, 'arn:aws:acm:cert'));

  found([
    ['HTTP, to strict receivers', { loadBalancer: https }, [protocol]],
    [
      'HTTP, where one of two receivers is strict',
      { loadBalancer: https, receivers: { 'i-1': bothReceiver(), 'i-2': receiver() } },
      [protocol],
    ],
    [
      'HTTP, to receivers that take both, for now',
      { loadBalancer: https, receivers: { 'i-1': bothReceiver() } },
      [{ ...protocol, severity: 'NEXT_CHANGE_FAILS' }],
    ],
    [
      'HTTP, to receivers that are plain, for now',
      { loadBalancer: https, receivers: { 'i-1': plainReceiver() } },
      [{ ...protocol, severity: 'NEXT_CHANGE_FAILS' }],
    ],
    [
      'SSL: inside TLS nobody reads it, whatever the receiver takes',
      { loadBalancer: ssl, receivers: { 'i-1': bothReceiver() } },
      [{ ...protocol, observed: 'SSL to SSL:81' }],
    ],
    [
      'beside one that does',
      { loadBalancer: fedBy(...LISTENERS, listener('HTTP', 8081, 'HTTP', 81)) },
      [
        {
          ...protocol,
          where: 'listener 8081',
          observed: 'HTTP to HTTP:81',
          mend: 'aws elb delete-load-balancer-listeners --load-balancer-name web --load-balancer-ports 8081 && aws elb create-load-balancer-listeners --load-balancer-name web --listeners Protocol=TCP,LoadBalancerPort=8081,InstanceProtocol=TCP,InstancePort=81',
        },
      ],
    ],
  ]);
});

describe('a port that was not switched', () => {
  const added: Draft = {
    kind: 'listener-added',
    severity: 'CLIENT_ADDRESSES_WRONG',
    where: 'port 82',
    expected: 'every instance port that a TCP or SSL listener feeds is switched',
    observed: 'not switched, fed by listener TCP:8080, SSL:8444',
    began: 0,
    cause: 'the listener was added after the switch',
    mend: SWITCH,
  };
  const more = [listener('TCP', 8080, 'TCP', 82), listener('SSL', 8444, 'TCP', 82)];
  const told = { FleetTagKey: 'fleet', IncludePorts: '80,81' };

  found([
    ['is new', { loadBalancer: fedBy(...LISTENERS, ...more) }, [added]],
    [
      'is nothing where all was switched off',
      {
        state: state({ direction: 'disable', mode: 'plain' }),
        loadBalancer: loadBalancer({}, { listeners: [...LISTENERS, ...more] }),
        receivers: { 'i-1': plainReceiver() },
      },
      [],
    ],
    [
      'is nothing where the switch was told which',
      { state: state({ parameters: told }), loadBalancer: fedBy(...LISTENERS, ...more) },
      [],
    ],
    [
      'is nothing where those that it was told of are gone',
      {
        state: state({ instancePorts: '', bothPorts: '', parameters: { IncludePorts: '83' } }),
        loadBalancer: fedBy(...LISTENERS),
      },
      [],
    ],
    [
      'is one that it was told of, which had no listener then',
      {
        state: state({ direction: 'disable', mode: 'both', instancePorts: '80=http', parameters: told }),
        loadBalancer: fedBy(...LISTENERS, ...more),
      },
      [
        {
          ...added,
          where: 'port 81',
          observed: 'not switched, fed by listener SSL:443',
          mend: `aws ssm start-automation-execution --document-name proxyflip-switch --parameters '{"LoadBalancerName":["web"],"Direction":["disable"],"FleetTagKey":["fleet"],"IncludePorts":["80,81"]}'`,
        },
      ],
    ],
  ]);
});

describe('the health check', () => {
  const check = (target: string) => {
    const healthCheck = { target, interval: 10, timeout: 4, unhealthyThreshold: 3, healthyThreshold: 5 };
    return loadBalancer(undefined, { healthCheck });
  };
  const strict = (target: string, healthPort = '8078'): Draft => ({
    kind: 'health-check',
    severity: 'EVERY_REQUEST_FAILS',
    where: 'load balancer',
    expected: `TCP, or a port without PROXY protocol, such as HTTP:${healthPort}/healthz`,
    observed: `${target}, which carries no PROXY line to a port that requires one: every instance is taken out of service`,
    began: 0,
    cause: 'the health check was changed after the switch',
    mend: `aws elb configure-health-check --load-balancer-name web --health-check Target=HTTP:${healthPort}/healthz,Interval=10,Timeout=4,UnhealthyThreshold=3,HealthyThreshold=5`,
  });
  const misses = (target: string, healthPort?: string): Draft => ({
    ...strict(target, healthPort),
    observed: `${target}, where nobody answers: every instance is taken out of service`,
  });
  const outOfService = new Set(['i-1', 'i-2']);
  /** Its page is elsewhere, as the instance beside it, which was never prepared, cannot know. */
  const elsewhere = { 'i-1': noReceiver(), 'i-2': receiver({ healthPort: '9078' }) };

  found([
    ['of HTTP at a strict port', { loadBalancer: check('HTTP:80/') }, [strict('HTTP:80/')]],
    ['of HTTPS at a strict port', { loadBalancer: check('HTTPS:81/up') }, [strict('HTTPS:81/up')]],
    ['of SSL at a strict port', { loadBalancer: check('SSL:81') }, [strict('SSL:81')]],
    ['of TCP, which sends nothing', { loadBalancer: check('TCP:80') }, []],
    ['that there is none of', { loadBalancer: loadBalancer(undefined, { healthCheck: undefined }) }, []],
    [
      'at a port that one of two receivers is strict at',
      { state: staysBoth, loadBalancer: check('HTTP:80/'), receivers: { 'i-1': bothReceiver(), 'i-2': receiver() } },
      [strict('HTTP:80/')],
    ],
    [
      'at a port where both are taken',
      { state: staysBoth, loadBalancer: check('HTTP:80/'), receivers: { 'i-1': bothReceiver() } },
      [],
    ],
    [
      'at a strict port of receivers that cannot be asked',
      { loadBalancer: check('HTTP:80/'), receivers: unreachable },
      [strict('HTTP:80/')],
    ],
    [
      'at a port that was left in both, of receivers that cannot be asked',
      { state: staysBoth, loadBalancer: check('HTTP:80/'), receivers: unreachable },
      [],
    ],
    ['at a port that was not switched', { loadBalancer: check('HTTP:9000/') }, []],
    ['at the health page', { loadBalancer: check('HTTP:8078/healthz') }, []],
    [
      'at the health page, which has no TLS',
      { loadBalancer: check('HTTPS:8078/healthz'), outOfService },
      [misses('HTTPS:8078/healthz')],
    ],
    [
      'beside the health page',
      { loadBalancer: check('HTTP:8079/healthz'), outOfService },
      [misses('HTTP:8079/healthz')],
    ],
    ['at another page, which does not answer either', { loadBalancer: check('HTTP:9000/up'), outOfService }, []],
    ['at a /healthz of their own, which answers', { loadBalancer: check('HTTP:9000/healthz') }, []],
    [
      'at a /healthz of their own, which answers at one instance',
      {
        loadBalancer: check('HTTP:9000/healthz'),
        receivers: { 'i-1': receiver(), 'i-2': receiver() },
        outOfService: new Set(['i-1']),
      },
      [],
    ],
    ['at the health page where it was put', { loadBalancer: check('HTTP:9078/healthz'), receivers: elsewhere }, []],
    [
      'at the usual port where it was put elsewhere',
      { loadBalancer: check('HTTP:8078/healthz'), receivers: elsewhere, outOfService },
      [misses('HTTP:8078/healthz', '9078')],
    ],
    ['at a page of nobody that can be asked', { loadBalancer: check('HTTP:8079/healthz'), receivers: unreachable }, []],
  ]);
});

describe('another load balancer with the instances, which writes no line', () => {
  const shared: Draft = {
    kind: 'instance-shared',
    severity: 'SOME_REQUESTS_FAIL',
    where: 'port 80, from other',
    expected: 'no other load balancer sends plain connections there',
    observed: 'other does, to i-1, i-2',
    began: 0,
    cause: 'other has the instances too, and no PROXY protocol',
    mend: 'aws elb deregister-instances-from-load-balancer --load-balancer-name other --instances i-1 i-2',
  };
  const neighbours = [{ name: 'other', port: 80, instanceIds: ['i-1', 'i-2'] }];

  found([
    ['is failed by strict receivers', { neighbours }, [shared]],
    ['is failed by one of them', { neighbours, receivers: { 'i-1': bothReceiver(), 'i-2': receiver() } }, [shared]],
    ['is served by receivers that take both', { neighbours, receivers: { 'i-1': bothReceiver() } }, []],
    ['is served by receivers that are plain', { neighbours, receivers: { 'i-1': plainReceiver() } }, []],
    ['is not known to fail at what cannot be asked, or is not there', { neighbours, receivers: unreachable }, []],
  ]);
});
