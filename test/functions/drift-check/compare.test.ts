/** Which findings there are in which situation, and how bad they are. What each of them says: compare-*.test.ts. */
import { describe, expect, test } from '@jest/globals';
import { compare } from '../../../functions/drift-check/compare.ts';
import { KINDS } from '../../../functions/drift-check/kinds.ts';
import type { Receiver } from '../../../functions/drift-check/receiver.ts';
import type { Rules } from '../../../functions/drift-check/situation.ts';
import { POLICY_NAME } from '../../../functions/shared/policies.ts';
import {
  bothReceiver,
  type Given,
  LISTENERS,
  listener,
  loadBalancer,
  NOW,
  noReceiver,
  plainReceiver,
  receiver,
  rules,
  situation,
  state,
} from './situations.ts';

const SECONDS = NOW / 1000;
const on = (...names: string[]) => ({ 80: [POLICY_NAME], 81: names });
const off = loadBalancer({});
const files = (manager = '', how: 'changed' | 'missing' | 'added' = 'changed') => [
  { path: '/etc/nginx/proxyflip/listen/80.conf', how, since: SECONDS - 600, manager },
];
const log = (given: Partial<Receiver['log']>) => ({ log: { ...receiver().log, ...given } });
const broken = (from: string, given: Partial<Receiver['log']> = {}) =>
  log({ broken: 12, lastBroken: SECONDS - 30, brokenFrom: [from], ...given });
const both = state({
  mode: 'both',
  startedAt: '2026-11-21T06:00:00.000Z',
  remaining: '10.0.9.9 sends plain connections',
});
const disabled = state({ direction: 'disable', mode: 'plain' });
const unfinished = state({ phase: 'undone', mode: 'both' });

interface Case {
  readonly desc: string;
  readonly given: Given;
  readonly rules?: Partial<Rules>;
  /** `kind where severity` */
  readonly found: readonly string[];
}

const CASES: readonly Case[] = [
  { desc: 'nothing where all is as it was set', given: {}, found: [] },
  {
    desc: 'nothing where it was switched off, and instances have a plain receiver or none',
    given: { state: disabled, loadBalancer: off, receivers: { 'i-1': plainReceiver(), 'i-2': noReceiver() } },
    found: [],
  },
  {
    desc: 'nothing where FinalMode both was asked for',
    given: {
      state: state({ mode: 'both', parameters: { FinalMode: 'both' } }),
      receivers: { 'i-1': bothReceiver() },
    },
    found: [],
  },
  {
    desc: 'nothing where no instance is registered',
    given: { receivers: {} },
    found: [],
  },

  // --- policies
  {
    desc: 'a policy off a port of strict receivers fails everything there',
    given: { loadBalancer: loadBalancer(on()) },
    found: ['policy-missing port 81 EVERY_REQUEST_FAILS'],
  },
  {
    desc: 'the other policies of the port do not count as one',
    given: { loadBalancer: loadBalancer(on('server-auth')) },
    found: ['policy-missing port 81 EVERY_REQUEST_FAILS'],
  },
  {
    desc: 'off where one of two receivers went with it fails some; and that receiver is not what was set',
    given: {
      loadBalancer: loadBalancer(on()),
      receivers: { 'i-1': receiver(), 'i-2': plainReceiver({ live: { 80: 'proxy', 81: 'plain' } }) },
    },
    found: ['policy-missing port 81 SOME_REQUESTS_FAIL', 'receiver-mode i-2 CLIENT_ADDRESSES_WRONG'],
  },
  {
    desc: 'off where receivers take both fails nothing, and nobody knows the address',
    given: { state: both, loadBalancer: loadBalancer(on()), receivers: { 'i-1': bothReceiver() } },
    rules: { bothSeconds: 86_400 },
    found: ['policy-missing port 81 CLIENT_ADDRESSES_WRONG'],
  },
  {
    desc: 'off where nobody can be asked is taken for the worst',
    given: { loadBalancer: loadBalancer(on()), receivers: { 'i-1': { unreachable: 'ConnectionLost' } } },
    found: ['policy-missing port 81 EVERY_REQUEST_FAILS', 'receiver-unreachable i-1 NEXT_CHANGE_FAILS'],
  },
  {
    desc: 'an attribute that is not true is as good as no policy',
    given: { loadBalancer: loadBalancer(on('theirs-off')) },
    found: ['policy-wrong-attribute port 81 EVERY_REQUEST_FAILS'],
  },
  {
    desc: 'an attribute that is not true beside ours is untidy',
    given: { loadBalancer: loadBalancer(on(POLICY_NAME, 'theirs-off')) },
    found: ['policy-wrong-attribute port 81 UNTIDY'],
  },
  {
    desc: 'somebody else’s policy in the place of ours does the same',
    given: { loadBalancer: loadBalancer(on('TFEnableProxyProtocol')) },
    found: ['policy-foreign port 81 UNTIDY'],
  },
  {
    desc: 'somebody else’s policy that the switch adopted is what was set',
    given: { state: state({ before: { 81: ['theirs'] } }), loadBalancer: loadBalancer(on('theirs')) },
    found: [],
  },
  {
    desc: 'two policies that write the line',
    given: { loadBalancer: loadBalancer(on(POLICY_NAME, 'theirs')) },
    found: ['policy-doubled port 81 NEXT_CHANGE_FAILS'],
  },
  {
    desc: 'ours on where it was switched off',
    given: {
      state: disabled,
      loadBalancer: loadBalancer({ 81: [POLICY_NAME] }),
      receivers: { 'i-1': plainReceiver() },
    },
    found: ['policy-unexpected port 81 EVERY_REQUEST_FAILS'],
  },
  {
    desc: 'somebody else’s on where it was switched off',
    given: { state: disabled, loadBalancer: loadBalancer({ 81: ['theirs'] }), receivers: { 'i-1': plainReceiver() } },
    found: ['policy-foreign port 81 EVERY_REQUEST_FAILS'],
  },
  {
    desc: 'ours on where no receiver listens for it is told; what answers there is not known',
    given: {
      loadBalancer: loadBalancer(
        { 80: [POLICY_NAME], 81: [POLICY_NAME], 22: [POLICY_NAME] },
        { listeners: [...LISTENERS, listener('TCP', 22, 'TCP', 22)] },
      ),
    },
    found: ['policy-unexpected port 22 SOME_REQUESTS_FAIL'],
  },
  {
    desc: 'somebody else’s on a port that was never switched is their business',
    given: {
      loadBalancer: loadBalancer(
        { 80: [POLICY_NAME], 81: [POLICY_NAME], 22: ['theirs'] },
        { listeners: [...LISTENERS, listener('TCP', 22, 'TCP', 22)] },
      ),
    },
    found: [],
  },
  {
    desc: 'a policy left on a port without a listener, which the next one would inherit',
    given: { loadBalancer: loadBalancer({ 80: [POLICY_NAME], 81: [POLICY_NAME], 8443: [POLICY_NAME] }) },
    found: ['policy-without-listener port 8443 NEXT_CHANGE_FAILS'],
  },
  {
    desc: 'one that was there before the switch is not ours to tell of',
    given: {
      state: state({ before: { 8443: ['theirs'] } }),
      loadBalancer: loadBalancer({ 80: [POLICY_NAME], 81: [POLICY_NAME], 8443: ['theirs'] }),
    },
    found: [],
  },

  // --- listeners
  {
    desc: 'a port added since',
    given: { loadBalancer: loadBalancer(undefined, { listeners: [...LISTENERS, listener('TCP', 8080, 'TCP', 82)] }) },
    found: ['listener-added port 82 CLIENT_ADDRESSES_WRONG'],
  },
  {
    desc: 'a port that was excluded, or that HTTP listeners alone feed, is not one',
    given: {
      loadBalancer: loadBalancer(undefined, {
        listeners: [...LISTENERS, listener('TCP', 22, 'TCP', 22), listener('HTTP', 8080, 'HTTP', 82)],
      }),
    },
    found: [],
  },
  {
    desc: 'nor one where the switch was told which ports',
    given: {
      state: state({ parameters: { IncludePorts: '80,81' } }),
      loadBalancer: loadBalancer(undefined, { listeners: [...LISTENERS, listener('TCP', 8080, 'TCP', 82)] }),
    },
    found: [],
  },
  {
    desc: 'a listener that is gone, with its policy or without',
    given: {
      loadBalancer: loadBalancer({ 80: [POLICY_NAME], 81: [POLICY_NAME] }, { listeners: LISTENERS.slice(0, 1) }),
    },
    found: ['listener-removed port 81 NEXT_CHANGE_FAILS'],
  },
  {
    desc: 'a listener that became HTTP on a strict port: no line is written',
    given: {
      loadBalancer: loadBalancer(undefined, {
        listeners: [...LISTENERS.slice(0, 1), listener('HTTPS', 443, 'HTTP', 81)],
      }),
    },
    found: ['listener-protocol listener 443 EVERY_REQUEST_FAILS'],
  },
  {
    desc: 'a listener that became SSL to the instance: the line is written inside TLS',
    given: {
      loadBalancer: loadBalancer(undefined, { listeners: [...LISTENERS.slice(0, 1), listener('SSL', 443, 'SSL', 81)] }),
    },
    found: ['listener-protocol listener 443 EVERY_REQUEST_FAILS'],
  },
  {
    desc: 'a port that redirects to https and is fed by SSL now redirects for ever',
    given: {
      loadBalancer: loadBalancer(undefined, { listeners: [listener('SSL', 444, 'TCP', 80), ...LISTENERS.slice(1)] }),
    },
    found: ['listener-scheme port 80 EVERY_REQUEST_FAILS'],
  },
  {
    desc: 'a port that tells https and is fed by both now',
    given: { loadBalancer: loadBalancer(undefined, { listeners: [...LISTENERS, listener('TCP', 8081, 'TCP', 81)] }) },
    found: ['listener-scheme port 81 UNTIDY'],
  },
  ...(
    [
      ['TCP:80', []],
      ['HTTP:8078/healthz', []],
      ['HTTP:9000/', []],
      ['HTTP:80/', ['health-check load balancer EVERY_REQUEST_FAILS']],
      ['SSL:81', ['health-check load balancer EVERY_REQUEST_FAILS']],
      ['HTTP:9000/healthz', []],
    ] as const
  ).map(([target, found]) => ({
    desc: `the health check ${target}`,
    given: {
      loadBalancer: loadBalancer(undefined, {
        healthCheck: { target, interval: 30, timeout: 5, unhealthyThreshold: 2, healthyThreshold: 10 },
      }),
    },
    found,
  })),
  {
    desc: 'another load balancer with the instance and no PROXY line',
    given: { neighbours: [{ name: 'other', port: 80, instanceIds: ['i-1'] }] },
    found: ['instance-shared port 80, from other SOME_REQUESTS_FAIL'],
  },
  {
    desc: 'two others with the instance and no PROXY line',
    given: { neighbours: ['one', 'two'].map((name) => ({ name, port: 80, instanceIds: ['i-1'] })) },
    found: [
      'instance-shared port 80, from one SOME_REQUESTS_FAIL',
      'instance-shared port 80, from two SOME_REQUESTS_FAIL',
    ],
  },
  {
    desc: 'another load balancer does no harm where the receiver takes both',
    given: {
      state: state({ mode: 'both', parameters: { FinalMode: 'both' } }),
      receivers: { 'i-1': bothReceiver() },
      neighbours: [{ name: 'other', port: 80, instanceIds: ['i-1'] }],
    },
    found: [],
  },

  // --- receivers
  {
    desc: 'an instance that was registered and never prepared',
    given: { receivers: { 'i-1': receiver(), 'i-2': noReceiver() } },
    found: ['receiver-missing i-2 SOME_REQUESTS_FAIL'],
  },
  {
    desc: 'the same, out of service: it serves nobody',
    given: { receivers: { 'i-1': receiver(), 'i-2': noReceiver() }, outOfService: new Set(['i-2']) },
    found: ['receiver-missing i-2 NEXT_CHANGE_FAILS'],
  },
  {
    desc: 'all of them, out of service: nobody is served',
    given: { receivers: { 'i-1': noReceiver() }, outOfService: new Set(['i-1']) },
    found: ['receiver-missing i-1 EVERY_REQUEST_FAILS'],
  },
  {
    desc: 'a receiver that was set to plain by hand',
    given: { receivers: { 'i-1': receiver(), 'i-2': plainReceiver() } },
    found: ['receiver-mode i-2 SOME_REQUESTS_FAIL'],
  },
  {
    desc: 'a receiver that says proxy and takes plain: other listen lines were loaded',
    given: {
      receivers: { 'i-1': receiver(), 'i-2': receiver({ live: { 80: 'proxy', 81: 'plain' }, files: files() }) },
    },
    found: ['receiver-files i-2 NEXT_CHANGE_FAILS', 'receiver-mode i-2 SOME_REQUESTS_FAIL'],
  },
  {
    desc: 'a receiver that came back in both, which its association is about to take on',
    given: { receivers: { 'i-1': receiver(), 'i-2': bothReceiver({ since: SECONDS - 60 }) } },
    found: [],
  },
  {
    desc: 'a receiver that has been in both for too long',
    given: { receivers: { 'i-1': receiver(), 'i-2': bothReceiver() } },
    found: ['both-too-long i-2 CLIENT_ADDRESSES_WRONG'],
  },
  {
    desc: 'a fleet that a switch left in both, for too long',
    given: { state: both, receivers: { 'i-1': bothReceiver(), 'i-2': bothReceiver() } },
    found: ['both-too-long load balancer CLIENT_ADDRESSES_WRONG'],
  },
  {
    desc: 'a receiver that serves other ports',
    given: { receivers: { 'i-1': receiver({ ports: '80=http' }) } },
    found: ['receiver-settings i-1 SOME_REQUESTS_FAIL'],
  },
  {
    desc: 'a receiver that does not serve what no listener feeds any more',
    given: {
      loadBalancer: loadBalancer(on(POLICY_NAME), { listeners: LISTENERS.slice(0, 1) }),
      receivers: { 'i-1': receiver({ ports: '80=http' }) },
    },
    found: ['listener-removed port 81 NEXT_CHANGE_FAILS'],
  },
  {
    desc: 'a receiver in another mode, where only a port that no listener feeds has the policy',
    given: {
      state: state({ instancePorts: '81=https', bothPorts: '81=https' }),
      loadBalancer: loadBalancer({ 81: [POLICY_NAME] }, { listeners: LISTENERS.slice(0, 1) }),
      receivers: { 'i-1': plainReceiver(), 'i-2': receiver() },
    },
    found: [
      'listener-added port 80 CLIENT_ADDRESSES_WRONG',
      'listener-removed port 81 NEXT_CHANGE_FAILS',
      'receiver-mode i-1 CLIENT_ADDRESSES_WRONG',
    ],
  },
  {
    desc: 'a receiver that believes others',
    given: { receivers: { 'i-1': receiver({ cidrs: '0.0.0.0/0' }) } },
    found: ['receiver-settings i-1 CLIENT_ADDRESSES_WRONG'],
  },
  {
    desc: 'a file that was edited',
    given: { receivers: { 'i-1': receiver({ files: files() }), 'i-2': receiver() } },
    found: ['receiver-files i-1 NEXT_CHANGE_FAILS'],
  },
  {
    desc: 'a receiver of an older version, which kept no list of files',
    given: { receivers: { 'i-1': receiver({ files: undefined }) } },
    found: [],
  },
  {
    desc: 'nginx dead: nothing else is said of that instance',
    given: {
      receivers: {
        'i-1': receiver(),
        'i-2': receiver({ nginx: { active: false, since: SECONDS - 60 }, health: 0, live: { 80: 'none', 81: 'none' } }),
      },
    },
    found: ['nginx-down i-2 SOME_REQUESTS_FAIL'],
  },
  {
    desc: 'HAProxy dead in proxy: nothing fails until the next switch',
    given: { receivers: { 'i-1': receiver({ haproxy: { active: false, since: SECONDS - 60 } }) } },
    found: ['haproxy-down i-1 NEXT_CHANGE_FAILS'],
  },
  {
    desc: 'HAProxy dead in both: every connection goes to it',
    given: {
      state: state({ mode: 'both', parameters: { FinalMode: 'both' } }),
      receivers: {
        'i-1': bothReceiver(),
        'i-2': bothReceiver({ haproxy: { active: false, since: SECONDS }, live: { 80: 'none', 81: 'none' } }),
      },
    },
    found: ['haproxy-down i-2 SOME_REQUESTS_FAIL'],
  },
  {
    desc: 'mode both without its rule, behind a load balancer that sends what nginx itself does not take',
    given: {
      state: state({ mode: 'both', parameters: { FinalMode: 'both' } }),
      receivers: { 'i-1': bothReceiver({ rule: false, live: { 80: 'plain', 81: 'plain' } }) },
    },
    found: ['rule-missing i-1 EVERY_REQUEST_FAILS'],
  },
  {
    desc: 'the rule of both left in proxy: anybody’s line is taken',
    given: { receivers: { 'i-1': receiver({ rule: true, live: { 80: 'both', 81: 'both' } }) } },
    found: ['rule-left i-1 CLIENT_ADDRESSES_WRONG'],
  },
  {
    desc: 'an instance that cannot be asked is not in sync, and nobody knows more',
    given: { receivers: { 'i-1': receiver(), 'i-2': { unreachable: 'its agent is ConnectionLost' } } },
    found: ['receiver-unreachable i-2 NEXT_CHANGE_FAILS'],
  },
  {
    desc: 'the health page says no, and nothing else shows why',
    given: { receivers: { 'i-1': receiver(), 'i-2': receiver({ health: 503 }) } },
    found: ['receiver-not-ready i-2 SOME_REQUESTS_FAIL'],
  },
  {
    desc: 'chat: dead',
    given: { receivers: { 'i-1': receiver({ chat: 'ready' }), 'i-2': receiver({ chat: 'stopped' }) } },
    found: ['chat-not-ready i-2 SOME_REQUESTS_FAIL'],
  },
  {
    desc: 'chat: not there where the switch was told to install it',
    given: { state: state({ parameters: { Chat: 'On' } }), receivers: { 'i-1': receiver() } },
    found: ['chat-not-ready i-1 EVERY_REQUEST_FAILS'],
  },

  // --- what the logs say
  {
    desc: 'connections that were dropped at a strict port, from a neighbour',
    given: { receivers: { 'i-1': receiver(broken('10.0.9.9')) } },
    found: ['broken-headers i-1 SOME_REQUESTS_FAIL'],
  },
  {
    desc: 'the same, told by an earlier check',
    given: { receivers: { 'i-1': receiver(broken('10.0.9.9')) } },
    rules: { logsSince: NOW },
    found: [],
  },
  {
    desc: 'the same, before the receiver was set to what it is',
    given: { receivers: { 'i-1': receiver({ ...broken('10.0.9.9'), since: SECONDS - 10 }) } },
    found: [],
  },
  {
    desc: 'the same, explained by a policy that is missing',
    given: { loadBalancer: loadBalancer(on()), receivers: { 'i-1': receiver(broken('10.0.101.5')) } },
    found: ['policy-missing port 81 EVERY_REQUEST_FAILS'],
  },
  {
    desc: 'the same, by health checks of a newer load balancer',
    given: { receivers: { 'i-1': receiver(broken('10.0.9.9', { checkers: true })) } },
    found: ['other-load-balancer i-1 SOME_REQUESTS_FAIL'],
  },
  {
    desc: 'lines that a few clients made up are the internet',
    given: { receivers: { 'i-1': receiver(log({ requests: 1000, proxied: 80, lastProxied: SECONDS })) } },
    found: [],
  },
  {
    desc: 'lines that are most of what arrives are somebody’s proxy',
    given: { receivers: { 'i-1': receiver(log({ requests: 100, proxied: 99, lastProxied: SECONDS })) } },
    found: ['proxy-lines-refused i-1 SOME_REQUESTS_FAIL'],
  },

  // --- the switch itself
  {
    desc: 'a switch that ended half-way, in both: it serves whatever is sent',
    given: { state: unfinished, loadBalancer: loadBalancer(on()), receivers: { 'i-1': bothReceiver() } },
    found: ['switch-unfinished load balancer CLIENT_ADDRESSES_WRONG'],
  },
  {
    desc: 'a switch that ended half-way, and a receiver that does not take what is sent',
    given: { state: unfinished, loadBalancer: loadBalancer(on()), receivers: { 'i-1': receiver() } },
    found: [
      'policy-missing port 81 EVERY_REQUEST_FAILS',
      'receiver-mode i-1 EVERY_REQUEST_FAILS',
      'switch-unfinished load balancer CLIENT_ADDRESSES_WRONG',
    ],
  },
  {
    desc: 'a switch that ended before it touched a policy',
    given: {
      state: state({ phase: 'undone', mode: 'plain' }),
      loadBalancer: off,
      receivers: { 'i-1': plainReceiver() },
    },
    found: ['switch-unfinished load balancer UNTIDY'],
  },
];

describe('compare', () => {
  test.each(CASES)('$desc', ({ given, rules: changed, found }) => {
    const drafts = compare(situation(given), rules(changed));
    expect(drafts.map(({ kind, where, severity }) => `${kind} ${where} ${severity}`).sort()).toEqual(found);
  });

  test('has a case for every kind that a comparison finds', () => {
    const found = new Set(CASES.flatMap((each) => each.found.map((text) => text.split(' ')[0])));
    // Those come from the account, from remediation's record and from a parameter: check.test.ts.
    const elsewhere = ['load-balancer-deleted', 'fought-over', 'suppression-unreadable'];
    expect([...found, ...elsewhere].sort()).toEqual(Object.keys(KINDS).sort());
  });

  test('gives no severity that the table of kinds does not know', () => {
    const wrong = CASES.flatMap(({ given, rules: changed }) => compare(situation(given), rules(changed))).filter(
      ({ kind, severity }) => !(KINDS[kind].severities as readonly string[]).includes(severity),
    );
    expect(wrong).toEqual([]);
  });
});

describe('mend', () => {
  test('is there for every kind but those that only a person can find the reason of', () => {
    const without = new Set(
      CASES.flatMap(({ given, rules: changed }) => compare(situation(given), rules(changed)))
        .filter(({ mend }) => mend === '')
        .map(({ kind }) => kind),
    );
    expect([...without].sort()).toEqual(['broken-headers', 'other-load-balancer', 'proxy-lines-refused']);
  });
});
