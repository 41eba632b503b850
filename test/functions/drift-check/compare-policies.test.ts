/** Every finding about a policy as it is told, whole. How bad it is in which situation: compare.test.ts. */
import { describe } from '@jest/globals';
import { comparePolicies } from '../../../functions/drift-check/compare-policies.ts';
import type { Draft } from '../../../functions/drift-check/situation.ts';
import { POLICY_NAME } from '../../../functions/shared/policies.ts';
import {
  bothReceiver,
  findings,
  LISTENERS,
  listener,
  loadBalancer,
  plainReceiver,
  receiver,
  SWITCH,
  SWITCH_OFF,
  state,
} from './situations.ts';

const on81 = (...names: string[]) => loadBalancer({ 80: [POLICY_NAME], 81: names });
const disabled = state({ direction: 'disable', mode: 'plain' });
const unfinished = state({ phase: 'undone', mode: 'both' });
const plain = { 'i-1': plainReceiver() };
const both = { 'i-1': bothReceiver() };
const kubernetes = new Map([['kubernetes.io/cluster/a', 'owned']]);

/** What `--policy-names` is given for port 81. */
const set = (names: string, port = 81) =>
  `aws elb set-load-balancer-policies-for-backend-server --load-balancer-name web --instance-port ${port} --policy-names ${names}`;

const missing: Draft = {
  kind: 'policy-missing',
  severity: 'EVERY_REQUEST_FAILS',
  where: 'port 81',
  expected: 'a policy that writes the PROXY line, such as proxyflip-proxy-protocol',
  observed: 'no policy',
  began: 0,
  cause: 'this port alone was changed',
  mend: SWITCH,
};
const wrongAttribute: Draft = {
  kind: 'policy-wrong-attribute',
  severity: 'UNTIDY',
  where: 'port 81',
  expected: 'attribute ProxyProtocol true',
  observed: 'theirs-off with another value',
  began: 0,
  cause: '',
  mend: set("'[]'"),
};
const doubled: Draft = {
  kind: 'policy-doubled',
  severity: 'NEXT_CHANGE_FAILS',
  where: 'port 81',
  expected: 'one policy that writes the PROXY line',
  observed: 'proxyflip-proxy-protocol, theirs',
  began: 0,
  cause: '',
  mend: set('server-auth proxyflip-proxy-protocol'),
};
const unexpected: Draft = {
  kind: 'policy-unexpected',
  severity: 'EVERY_REQUEST_FAILS',
  where: 'port 81',
  expected: 'no policy that writes the PROXY line',
  observed: 'proxyflip-proxy-protocol',
  began: 0,
  cause: '',
  mend: SWITCH_OFF,
};
const foreign: Draft = { ...unexpected, kind: 'policy-foreign', observed: 'theirs', mend: set('server-auth') };
const replaced: Draft = {
  kind: 'policy-foreign',
  severity: 'UNTIDY',
  where: 'port 81',
  expected: 'proxyflip-proxy-protocol',
  observed: 'theirs, which does the same',
  began: 0,
  cause: '',
  mend: set('proxyflip-proxy-protocol'),
};
const left: Draft = {
  kind: 'policy-without-listener',
  severity: 'NEXT_CHANGE_FAILS',
  where: 'port 8443',
  expected: 'no policy where no listener leads: the next listener there would inherit it',
  observed: 'proxyflip-proxy-protocol',
  began: 0,
  cause: 'the listener was deleted; policies outlive it',
  mend: set("'[]'", 8443),
};

const found = findings(comparePolicies);

describe('no policy that writes the line, where one was set', () => {
  found([
    ['none at all', { loadBalancer: on81() }, [missing]],
    [
      'others alone, which are named',
      { loadBalancer: on81('server-auth', 'other-auth') },
      [{ ...missing, observed: 'server-auth, other-auth' }],
    ],
    [
      'on no port any more: whoever it was leaves no mark',
      { loadBalancer: loadBalancer({}) },
      [
        { ...missing, where: 'port 80', cause: '' },
        { ...missing, cause: '' },
      ],
    ],
    [
      'a load balancer that a controller has',
      { loadBalancer: loadBalancer({ 80: [POLICY_NAME] }, { tags: kubernetes }) },
      [{ ...missing, cause: 'perhaps Kubernetes (tag kubernetes.io/cluster/a=owned)' }],
    ],
    [
      'a load balancer that was made again after the switch',
      { loadBalancer: loadBalancer({ 80: [POLICY_NAME] }, { createdAt: Date.parse('2026-11-21T06:00:01.001Z') }) },
      [
        {
          ...missing,
          began: Date.parse('2026-11-21T06:00:01.001Z'),
          cause: 'the load balancer was made again at 2026-11-21T06:00:01.001Z',
        },
      ],
    ],
    [
      'one that was made in the second of the switch, as the service rounds it',
      { loadBalancer: loadBalancer({ 80: [POLICY_NAME] }, { createdAt: Date.parse('2026-11-21T06:00:01.000Z') }) },
      [missing],
    ],
  ]);
});

describe('a policy of the type whose attribute is not true', () => {
  found([
    [
      'alone, where one was set',
      { loadBalancer: on81('theirs-off') },
      [{ ...wrongAttribute, severity: 'EVERY_REQUEST_FAILS', mend: `${set("'[]'")} && ${SWITCH}` }],
    ],
    [
      'alone, before receivers that take both',
      { loadBalancer: on81('theirs-off'), receivers: both },
      [{ ...wrongAttribute, severity: 'CLIENT_ADDRESSES_WRONG', mend: `${set("'[]'")} && ${SWITCH}` }],
    ],
    [
      'of our own name: the switch would refuse it, so it is deleted first',
      {
        state: state({ before: { 80: ['theirs'] } }),
        loadBalancer: loadBalancer(
          { 80: ['theirs'], 81: [POLICY_NAME] },
          { proxyPolicies: new Set(['theirs']), idlePolicies: new Set([POLICY_NAME]) },
        ),
      },
      [
        {
          ...wrongAttribute,
          severity: 'EVERY_REQUEST_FAILS',
          observed: 'proxyflip-proxy-protocol with another value',
          mend: `${set("'[]'")} && aws elb delete-load-balancer-policy --load-balancer-name web --policy-name proxyflip-proxy-protocol && ${SWITCH}`,
        },
      ],
    ],
    [
      'two of them beside ours, by a controller',
      {
        loadBalancer: {
          ...on81('theirs-off', 'server-auth', POLICY_NAME, 'more-off'),
          tags: kubernetes,
        },
      },
      [
        {
          ...wrongAttribute,
          observed: 'theirs-off, more-off with another value',
          cause: 'perhaps Kubernetes (tag kubernetes.io/cluster/a=owned)',
          mend: set('server-auth proxyflip-proxy-protocol'),
        },
      ],
    ],
    [
      'where it was switched off',
      { state: disabled, loadBalancer: loadBalancer({ 81: ['theirs-off', 'server-auth'] }), receivers: plain },
      [{ ...wrongAttribute, mend: set('server-auth') }],
    ],
  ]);
});

describe('two policies that write the line', () => {
  found([
    ['ours stays', { loadBalancer: on81('server-auth', POLICY_NAME, 'theirs') }, [doubled]],
    [
      'the first stays where none is ours',
      { loadBalancer: on81('theirs', 'TFEnableProxyProtocol') },
      [
        {
          ...doubled,
          observed: 'theirs, TFEnableProxyProtocol',
          cause: 'Terraform (policy TFEnableProxyProtocol)',
          mend: set('theirs'),
        },
      ],
    ],
    [
      'each is one too many where it was switched off',
      { state: disabled, loadBalancer: loadBalancer({ 81: ['server-auth', 'theirs', POLICY_NAME] }), receivers: plain },
      [{ ...foreign, mend: set(`server-auth ${POLICY_NAME}`) }, unexpected],
    ],
  ]);
});

describe('a policy where it was switched off', () => {
  found([
    [
      'ours, whoever else has the load balancer',
      {
        state: disabled,
        loadBalancer: loadBalancer({ 81: [POLICY_NAME] }, { tags: kubernetes }),
        receivers: plain,
      },
      [unexpected],
    ],
    [
      'ours, before receivers that take both',
      { state: disabled, loadBalancer: loadBalancer({ 81: [POLICY_NAME] }), receivers: both },
      [{ ...unexpected, severity: 'NEXT_CHANGE_FAILS' }],
    ],
    [
      'somebody else’s',
      { state: disabled, loadBalancer: loadBalancer({ 81: ['server-auth', 'theirs'] }), receivers: plain },
      [foreign],
    ],
    [
      'somebody else’s, by its name',
      { state: disabled, loadBalancer: loadBalancer({ 81: ['TFEnableProxyProtocol'] }), receivers: plain },
      [
        {
          ...foreign,
          observed: 'TFEnableProxyProtocol',
          cause: 'Terraform (policy TFEnableProxyProtocol)',
          mend: set("'[]'"),
        },
      ],
    ],
  ]);
});

describe('somebody else’s policy in the place of ours', () => {
  found([
    ['ours is still there to be put back', { loadBalancer: on81('theirs') }, [replaced]],
    [
      'the other policies of the port stay',
      { loadBalancer: on81('server-auth', 'TFEnableProxyProtocol', 'other-auth') },
      [
        {
          ...replaced,
          observed: 'TFEnableProxyProtocol, which does the same',
          cause: 'Terraform (policy TFEnableProxyProtocol)',
          mend: set('server-auth other-auth proxyflip-proxy-protocol'),
        },
      ],
    ],
    [
      'ours has to be made first; what the switch adopted stays',
      {
        state: state({ before: { 80: ['theirs'] } }),
        loadBalancer: loadBalancer({ 80: ['theirs'], 81: ['other'] }),
      },
      [
        {
          ...replaced,
          observed: 'other, which does the same',
          mend: `aws elb create-load-balancer-policy --load-balancer-name web --policy-name proxyflip-proxy-protocol --policy-type-name ProxyProtocolPolicyType --policy-attributes AttributeName=ProxyProtocol,AttributeValue=true && ${set('proxyflip-proxy-protocol')}`,
        },
      ],
    ],
  ]);
});

describe('a port that was not switched', () => {
  const fed = (...names: string[]) =>
    loadBalancer(
      { 80: [POLICY_NAME], 81: [POLICY_NAME], 22: names },
      { listeners: [...LISTENERS, listener('TCP', 22, 'TCP', 22)] },
    );
  const unfed = (...names: string[]) => loadBalancer({ 80: [POLICY_NAME], 81: [POLICY_NAME], 8443: names });
  const ours: Draft = {
    ...unexpected,
    severity: 'SOME_REQUESTS_FAIL',
    where: 'port 22',
    expected: 'no proxyflip-proxy-protocol: the port was not switched',
    mend: SWITCH,
  };

  found([
    ['ours, where no receiver serves the port', { loadBalancer: fed(POLICY_NAME) }, [ours]],
    [
      'ours beside another’s, where one receiver serves the port and takes both',
      {
        loadBalancer: fed('theirs', POLICY_NAME),
        receivers: { 'i-1': receiver(), 'i-2': bothReceiver({ live: { 80: 'both', 81: 'both', 22: 'both' } }) },
      },
      [{ ...ours, severity: 'NEXT_CHANGE_FAILS', observed: 'theirs, proxyflip-proxy-protocol' }],
    ],
    ['another’s is their business', { loadBalancer: fed('theirs') }, []],
    ['ours, where no listener leads', { loadBalancer: unfed(POLICY_NAME) }, [left]],
    [
      'another’s that came since, where no listener leads, beside one that was there',
      { state: state({ before: { 8443: ['theirs'] } }), loadBalancer: unfed('theirs', 'server-auth', 'more') },
      [{ ...left, observed: 'theirs, more', mend: set('server-auth', 8443) }],
    ],
    ['another’s alone, where no listener leads', { loadBalancer: unfed('theirs') }, [{ ...left, observed: 'theirs' }]],
    [
      'another’s that was there, where no listener leads',
      { state: state({ before: { 8443: ['theirs'] } }), loadBalancer: unfed('theirs') },
      [],
    ],
    ['a policy of another type, where no listener leads', { loadBalancer: unfed('server-auth') }, []],
  ]);
});

describe('a run that ended half-way', () => {
  found([
    [
      'nothing is wrong where the receivers take what is sent',
      { state: unfinished, loadBalancer: on81(), receivers: both },
      [],
    ],
    [
      'the policy is missing where one receiver takes nothing without it',
      { state: unfinished, loadBalancer: on81(), receivers: { ...both, 'i-2': receiver() } },
      [{ ...missing, severity: 'SOME_REQUESTS_FAIL' }],
    ],
    [
      'and unexpected where one takes nothing with it',
      { state: unfinished, loadBalancer: on81(), receivers: { ...both, 'i-2': plainReceiver() } },
      [{ ...unexpected, severity: 'SOME_REQUESTS_FAIL', where: 'port 80', mend: SWITCH }],
    ],
    [
      'two that write the line are one too many only where it is known to be wanted',
      { state: unfinished, loadBalancer: on81(POLICY_NAME, 'theirs'), receivers: both },
      [],
    ],
  ]);
});
