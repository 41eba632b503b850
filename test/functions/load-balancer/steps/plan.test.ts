/** What is going to be done, in the words of the Command document and of a person. */
import { expect, test } from '@jest/globals';
import { POLICY_NAME } from '../../../../functions/shared/policies.ts';
import { listener, otherPolicy, proxyPolicy } from '../../fake-aws.ts';
import { request } from '../driver.ts';
import { SWITCHED_ON, stage } from './stage.ts';

const ASKED = {
  ...request({}),
  // As deep scans of EC2's answers give them: in any order, and twice.
  subnetCidrs: ['10.0.102.0/24', '10.0.101.0/24', '10.0.102.0/24'],
  nodeAddresses: ['10.0.102.22', '10.0.101.21', '10.0.102.22', '10.0.101.21'],
};

const PLANNED = {
  instancePorts: '80=http 81=https',
  bothPorts: '80=http 81=https',
  trustedCidrs: '10.0.101.0/24 10.0.102.0/24',
  nodes: '10.0.101.21:80=http 10.0.101.21:443=https 10.0.102.22:80=http 10.0.102.22:443=https',
  instanceIds: ['i-1', 'i-2'],
  survey: 'Status',
  finalMode: 'proxy',
  policyName: POLICY_NAME,
  policyChanges: `create policy ${POLICY_NAME}; instance port 80: [${POLICY_NAME}]; instance port 81: [${POLICY_NAME}]`,
};

test.each<[string, Parameters<typeof stage>[0], object, object]>([
  ['an enable', {}, {}, {}],
  ['an enable to both', {}, { finalMode: 'both' }, { finalMode: 'both' }],
  ['one that is only to be planned', {}, { planOnly: 'yes' }, { survey: 'Plan' }],
  ['an enable of what is on', SWITCHED_ON, {}, { policyChanges: 'none' }],
  [
    'an enable beside policies of other kinds, and where somebody else’s is on',
    {
      listeners: [listener('TCP', 80, 'TCP', 80), listener('SSL', 443, 'TCP', 81), listener('SSL', 444, 'TCP', 82)],
      policies: [otherPolicy('Other'), proxyPolicy('theirs')],
      backend: { 80: ['theirs'], 81: ['Other'], 82: ['theirs'] },
    },
    {},
    {
      instancePorts: '80=http 81=https 82=https',
      bothPorts: '80=http 81=https 82=https',
      nodes:
        '10.0.101.21:80=http 10.0.101.21:443=https 10.0.101.21:444=https 10.0.102.22:80=http 10.0.102.22:443=https 10.0.102.22:444=https',
      policyChanges: `create policy ${POLICY_NAME}; instance port 81: [Other, ${POLICY_NAME}]; instance port 80 keeps theirs, which is not ours; instance port 82 keeps theirs, which is not ours`,
    },
  ],
  [
    'an enable that leaves a port which was on',
    SWITCHED_ON,
    { excludePorts: '81' },
    { instancePorts: '80=http', policyChanges: 'instance port 81: []' },
  ],
  [
    'an enable of one port alone',
    {},
    { includePorts: '81' },
    {
      instancePorts: '81=https',
      bothPorts: '81=https',
      nodes: '10.0.101.21:443=https 10.0.102.22:443=https',
      policyChanges: `create policy ${POLICY_NAME}; instance port 81: [${POLICY_NAME}]`,
    },
  ],
  [
    'a disable, whatever the last mode was to be',
    SWITCHED_ON,
    { direction: 'disable', finalMode: 'proxy' },
    {
      finalMode: 'plain',
      policyChanges: `instance port 80: []; instance port 81: []; delete policy ${POLICY_NAME}`,
    },
  ],
  ['a disable of what is off', {}, { direction: 'disable' }, { finalMode: 'plain', policyChanges: 'none' }],
])('%s', async (_desc, given, asked, planned) => {
  const { ask, changes } = stage(given);

  expect(await ask('Plan', { ...ASKED, ...asked })).toEqual({ ...PLANNED, ...planned });
  expect(changes()).toEqual([]);
});
