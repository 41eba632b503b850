/** Every finding about a receiver as it is told, whole. How bad it is in which situation: compare.test.ts. */
import { describe } from '@jest/globals';
import { compareReceivers } from '../../../functions/drift-check/compare-receivers.ts';
import type { Receiver } from '../../../functions/drift-check/receiver.ts';
import type { Draft } from '../../../functions/drift-check/situation.ts';
import {
  bothReceiver,
  findings,
  LISTENERS,
  loadBalancer,
  NOW,
  noReceiver,
  plainReceiver,
  receiver,
  SWITCH,
  state,
} from './situations.ts';

/** As the receivers tell it. Unit: seconds. */
const SECONDS = NOW / 1000;
const staysBoth = state({ mode: 'both', parameters: { FinalMode: 'both' } });
const SWITCH_BOTH = `aws ssm start-automation-execution --document-name proxyflip-switch --parameters '{"LoadBalancerName":["web"],"Direction":["enable"],"FinalMode":["both"]}'`;
const disabled = state({ direction: 'disable', mode: 'plain' });
const off = loadBalancer({});

/** One instance of two: the other one is as it was set. */
const one = (given: Partial<Receiver>) => ({ receivers: { 'i-1': receiver(), 'i-2': receiver(given) } });
const down = { active: false, since: SECONDS - 60 };

const found = findings(compareReceivers);

const draft = (given: Pick<Draft, 'kind' | 'severity' | 'expected' | 'observed'> & Partial<Draft>): Draft => ({
  where: 'i-2',
  began: 0,
  cause: '',
  mend: SWITCH,
  ...given,
});

describe('an instance', () => {
  const missing = draft({
    kind: 'receiver-missing',
    severity: 'SOME_REQUESTS_FAIL',
    expected: 'a receiver in proxy',
    observed: 'none: the instance was registered and never prepared',
    cause: 'it came after the switch, and no association prepared it',
  });

  found([
    ['that was never prepared', { receivers: { 'i-1': receiver(), 'i-2': noReceiver() } }, [missing]],
    [
      'that was never prepared, where nothing is sent that it does not take',
      { state: staysBoth, loadBalancer: off, receivers: { 'i-1': bothReceiver(), 'i-2': noReceiver() } },
      [{ ...missing, severity: 'NEXT_CHANGE_FAILS', expected: 'a receiver in both', mend: SWITCH_BOTH }],
    ],
    [
      'that was never prepared, where all was switched off',
      { state: disabled, loadBalancer: off, receivers: { 'i-1': plainReceiver(), 'i-2': noReceiver() } },
      [],
    ],
    [
      'that was never prepared, where a run ended before it was switched off',
      {
        state: state({ direction: 'disable', phase: 'undone', mode: 'both' }),
        loadBalancer: off,
        receivers: { 'i-2': noReceiver() },
      },
      [
        {
          ...missing,
          severity: 'NEXT_CHANGE_FAILS',
          expected: 'a receiver in both',
          mend: SWITCH.replace('enable', 'disable'),
        },
      ],
    ],
    [
      'that cannot be asked',
      { receivers: { 'i-1': receiver(), 'i-2': { unreachable: 'its agent is ConnectionLost' } } },
      [
        draft({
          kind: 'receiver-unreachable',
          severity: 'NEXT_CHANGE_FAILS',
          expected: 'the Systems Manager agent answers',
          observed: 'its agent is ConnectionLost',
          mend: 'aws elb deregister-instances-from-load-balancer --load-balancer-name web --instances i-2',
        }),
      ],
    ],
  ]);
});

describe('a program', () => {
  const nginx = draft({
    kind: 'nginx-down',
    severity: 'SOME_REQUESTS_FAIL',
    expected: 'nginx runs',
    observed: 'it does not',
    began: NOW - 60_000,
  });
  const haproxy = draft({
    kind: 'haproxy-down',
    severity: 'NEXT_CHANGE_FAILS',
    expected: 'HAProxy runs in every mode, so that entering both starts nothing',
    observed: 'it does not',
    began: NOW - 60_000,
  });
  const dead = { nginx: down, health: 0, live: { 80: 'none', 81: 'none' } } as const;

  found([
    ['nginx: the instance serves nothing, and the rest is its consequence', one(dead), [nginx]],
    ['nginx, on all', { receivers: { 'i-2': receiver(dead) } }, [{ ...nginx, severity: 'EVERY_REQUEST_FAILS' }]],
    ['HAProxy, where nothing goes to it', one({ haproxy: down }), [haproxy]],
    [
      'HAProxy, where all goes to it',
      {
        state: staysBoth,
        receivers: {
          'i-1': bothReceiver(),
          'i-2': bothReceiver({ haproxy: down, live: { 80: 'none', 81: 'none' } }),
        },
      },
      [
        {
          ...haproxy,
          severity: 'SOME_REQUESTS_FAIL',
          observed: 'it does not, and the rule leads every new connection to it',
          mend: SWITCH_BOTH,
        },
      ],
    ],
  ]);
});

describe('the rule of mode both', () => {
  const missing = draft({
    kind: 'rule-missing',
    severity: 'SOME_REQUESTS_FAIL',
    expected: 'the nftables rule of mode both',
    observed: 'no rule: connections go to nginx, which takes one kind alone',
    cause: 'somebody flushed the rules; reloading nftables.service does',
    mend: SWITCH_BOTH,
  });
  const left = draft({
    kind: 'rule-left',
    severity: 'CLIENT_ADDRESSES_WRONG',
    expected: 'no nftables rule in mode proxy',
    observed: 'the rule of mode both: every kind of connection is taken, and no address is trusted',
  });
  const without = (kind: 'plain' | 'proxy') => ({
    state: staysBoth,
    receivers: { 'i-1': bothReceiver(), 'i-2': bothReceiver({ rule: false, live: { 80: kind, 81: kind } }) },
  });

  found([
    ['gone, where nginx does not take what is sent', without('plain'), [missing]],
    ['gone, where it does', without('proxy'), [{ ...missing, severity: 'NEXT_CHANGE_FAILS' }]],
    ['left behind', one({ rule: true, live: { 80: 'both', 81: 'both' } }), [left]],
    [
      'left behind, and nobody is there',
      one({ rule: true, haproxy: down, live: { 80: 'none', 81: 'none' } }),
      [
        draft({
          kind: 'haproxy-down',
          severity: 'SOME_REQUESTS_FAIL',
          expected: 'HAProxy runs in every mode, so that entering both starts nothing',
          observed: 'it does not, and the rule leads every new connection to it',
          began: NOW - 60_000,
        }),
        { ...left, severity: 'SOME_REQUESTS_FAIL' },
      ],
    ],
  ]);
});

describe('a mode that was not set', () => {
  const other = draft({
    kind: 'receiver-mode',
    severity: 'SOME_REQUESTS_FAIL',
    expected: 'proxy',
    observed: 'plain',
    began: NOW - 60_000,
    cause: 'the Command document was run on it outside of the runbook',
  });
  const tooLong = draft({
    kind: 'both-too-long',
    severity: 'CLIENT_ADDRESSES_WRONG',
    expected: 'proxy',
    observed: 'both: everything is served, and no client address is known',
    began: NOW - 3_600_000,
  });
  const otherLines = draft({
    kind: 'receiver-mode',
    severity: 'SOME_REQUESTS_FAIL',
    expected: 'proxy at every instance port',
    observed: 'set to proxy, but port 80 takes plain, port 81 takes no connection',
    cause: 'nginx was given other listen lines than those of the receiver',
  });

  found([
    ['plain', { receivers: { 'i-1': receiver(), 'i-2': plainReceiver({ since: SECONDS - 60 }) } }, [other]],
    [
      'both, for as long as it may',
      { receivers: { 'i-1': receiver(), 'i-2': bothReceiver({ since: SECONDS - 3600 }) } },
      [tooLong],
    ],
    ['both, for less', { receivers: { 'i-1': receiver(), 'i-2': bothReceiver({ since: SECONDS - 3599 }) } }, []],
    ['proxy by its own words alone', one({ live: { 80: 'plain', 81: 'none' } }), [otherLines]],
    ['proxy, where one port was not tried', one({ live: { 80: 'proxy' } }), []],
  ]);
});

describe('settings', () => {
  const ports = draft({
    kind: 'receiver-settings',
    severity: 'SOME_REQUESTS_FAIL',
    expected: 'instance ports 80=http 81=https',
    observed: 'instance ports 80=http',
    began: NOW - 60_000,
  });
  const cidrs = draft({
    kind: 'receiver-settings',
    severity: 'CLIENT_ADDRESSES_WRONG',
    expected: 'a PROXY line is believed from 10.0.101.0/24',
    observed: 'from 0.0.0.0/0',
    began: NOW - 60_000,
  });
  const since = SECONDS - 60;
  const { trustedCidrs: _, ...older } = state();

  found([
    [
      'a port too few; who is believed is told when that is mended',
      one({ ports: '80=http', cidrs: '', since }),
      [ports],
    ],
    [
      'a port that is fed otherwise',
      one({ ports: '80=http 81=http', since }),
      [{ ...ports, observed: 'instance ports 80=http 81=http' }],
    ],
    ['no port', one({ ports: '', since }), [{ ...ports, observed: 'instance ports none' }]],
    [
      'no port, where only one of them has the policy',
      { ...one({ ports: '', live: { 80: 'proxy' }, since }), loadBalancer: loadBalancer({ 80: ['theirs'] }) },
      [{ ...ports, observed: 'instance ports none' }],
    ],
    [
      'a port too few, to which no PROXY line comes',
      {
        state: disabled,
        loadBalancer: off,
        receivers: { 'i-2': plainReceiver({ ports: '80=http', since }) },
      },
      [{ ...ports, severity: 'CLIENT_ADDRESSES_WRONG', mend: SWITCH.replace('enable', 'disable') }],
    ],
    [
      'a port too few, which no listener feeds any more',
      { ...one({ ports: '80=http' }), loadBalancer: loadBalancer(undefined, { listeners: LISTENERS.slice(0, 1) }) },
      [],
    ],
    ['anybody is believed', one({ cidrs: '0.0.0.0/0', since }), [cidrs]],
    ['nobody is believed', one({ cidrs: '', since }), [{ ...cidrs, observed: 'from nowhere' }]],
    [
      'who is believed does not matter where no line is read',
      { state: disabled, loadBalancer: off, receivers: { 'i-1': plainReceiver({ cidrs: '' }) } },
      [],
    ],
    ['who is believed is not known of a run of an older version', { ...one({ cidrs: '0.0.0.0/0' }), state: older }, []],
  ]);
});

describe('files', () => {
  const file = (name: string, given: Partial<NonNullable<Receiver['files']>[number]> = {}) =>
    ({ path: `/etc/nginx/proxyflip/${name}`, how: 'changed', since: SECONDS - 600, manager: '', ...given }) as const;
  const gone = file('gone.conf', { how: 'missing', since: 0 });
  const files = draft({
    kind: 'receiver-files',
    severity: 'NEXT_CHANGE_FAILS',
    expected: 'the files as the receiver wrote them',
    observed: '/etc/nginx/proxyflip/a.conf changed',
    began: NOW - 600_000,
    cause: 'changed by hand, or by a program that leaves no mark',
  });

  found([
    ['one that was edited', one({ files: [file('a.conf')] }), [files]],
    [
      'one that is gone: since when nobody knows',
      one({ files: [gone] }),
      [{ ...files, observed: '/etc/nginx/proxyflip/gone.conf missing', began: 0, cause: '' }],
    ],
    [
      'three, since the first of them',
      one({ files: [gone, file('b.conf', { how: 'added', since: SECONDS - 900 }), file('a.conf')] }),
      [
        {
          ...files,
          observed:
            '/etc/nginx/proxyflip/gone.conf missing, /etc/nginx/proxyflip/b.conf added, /etc/nginx/proxyflip/a.conf changed',
          began: NOW - 900_000,
          cause: '',
        },
      ],
    ],
    [
      'more than are named, one by a program that says so',
      one({ files: [file('a'), file('b'), file('c'), file('d', { manager: 'Puppet' }), file('e')], omitted: 40 }),
      [
        {
          ...files,
          observed:
            '/etc/nginx/proxyflip/a changed, /etc/nginx/proxyflip/b changed, /etc/nginx/proxyflip/c changed and 42 more',
          cause: 'Puppet writes it: take the file out of its hands, or it will be changed again',
        },
      ],
    ],
  ]);
});

describe('chat', () => {
  const chat = draft({
    kind: 'chat-not-ready',
    severity: 'SOME_REQUESTS_FAIL',
    expected: 'the chat service is ready',
    observed: 'it does not run',
    mend: `aws ssm send-command --document-name AWS-RunShellScript --instance-ids i-2 --parameters '{"commands":["systemctl restart proxyflip-chat.service"]}'`,
  });
  const withChat = state({ parameters: { Chat: 'On' } });
  const beside = (given: Receiver['chat']) => ({
    receivers: { 'i-1': receiver({ chat: 'ready' }), 'i-2': receiver({ chat: given }) },
  });

  found([
    ['stopped', beside('stopped'), [chat]],
    ['at work on something else', beside('not ready'), [{ ...chat, observed: 'it runs and is not ready' }]],
    [
      'not there, where it was asked for: the switch installs it',
      { ...beside('absent'), state: withChat },
      [
        {
          ...chat,
          observed: 'it is not installed',
          mend: `aws ssm start-automation-execution --document-name proxyflip-switch --parameters '{"LoadBalancerName":["web"],"Direction":["enable"],"Chat":["On"]}'`,
        },
      ],
    ],
    ['not there, where nobody asked for it', beside('absent'), []],
  ]);
});

describe('the health page', () => {
  const notReady = draft({
    kind: 'receiver-not-ready',
    severity: 'SOME_REQUESTS_FAIL',
    expected: 'HTTP:8078/healthz answers 200',
    observed: 'status 503',
  });
  const check = (target: string) => ({
    loadBalancer: loadBalancer(undefined, {
      healthCheck: { target, interval: 10, timeout: 5, unhealthyThreshold: 2, healthyThreshold: 3 },
    }),
  });

  found([
    ['says no', one({ health: 503 }), [notReady]],
    ['says nothing', one({ health: 0 }), [{ ...notReady, observed: 'no answer' }]],
    [
      'says no, and the load balancer asks for it in its own way',
      { ...one({ health: 503 }), ...check('http:8078/healthz') },
      [notReady],
    ],
    [
      'says no, and the load balancer does not ask',
      { ...one({ health: 503 }), loadBalancer: loadBalancer(undefined, { healthCheck: undefined }) },
      [{ ...notReady, severity: 'UNTIDY' }],
    ],
    [
      'says no, and the load balancer asks for something below it',
      { ...one({ health: 503 }), ...check('HTTP:8078/healthz/deep') },
      [{ ...notReady, severity: 'UNTIDY' }],
    ],
    [
      'says no, and another reason is known',
      one({ health: 503, haproxy: down }),
      [
        draft({
          kind: 'haproxy-down',
          severity: 'NEXT_CHANGE_FAILS',
          expected: 'HAProxy runs in every mode, so that entering both starts nothing',
          observed: 'it does not',
          began: NOW - 60_000,
        }),
      ],
    ],
  ]);
});
