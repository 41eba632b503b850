import {
  CreateLoadBalancerPolicyCommand,
  SetLoadBalancerPoliciesForBackendServerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createPlayedAccount, type PlayedAccount } from '../../../rehearsal/faults/played-account.ts';
import { LOAD_BALANCER } from '../../../rehearsal/fleet.ts';

jest.setTimeout(20_000);

let account: PlayedAccount;

beforeEach(async () => {
  account = await createPlayedAccount(1);
});
afterEach(async () => {
  await account[Symbol.asyncDispose]();
});

const tell = async (env: Readonly<Record<string, string>>) => {
  const answer = await account.receivers[0]?.exec(['sh'], { env });
  return JSON.parse(answer?.stdout ?? '');
};
const take = (mode: string) => tell({ SSM_Operation: 'SetMode', SSM_Mode: mode });
const measure = () =>
  tell({ SSM_Operation: 'Measure', SSM_Nodes: '10.0.101.21:80=http 10.0.101.21:443=https 10.0.102.21:443=https' });

/** Resolves when every node follows. */
async function setPolicy(port: number): Promise<void> {
  const { elb } = account.clients;
  const LoadBalancerName = LOAD_BALANCER;
  await elb.send(
    new CreateLoadBalancerPolicyCommand({
      LoadBalancerName,
      PolicyName: 'on',
      PolicyTypeName: 'ProxyProtocolPolicyType',
      PolicyAttributes: [{ AttributeName: 'ProxyProtocol', AttributeValue: 'true' }],
    }),
  );
  await elb.send(
    new SetLoadBalancerPoliciesForBackendServerCommand({ LoadBalancerName, InstancePort: port, PolicyNames: ['on'] }),
  );
  await new Promise((resolve) => setTimeout(resolve, 150));
}

test('a receiver that is strict too early is not served by any node, on any port', async () => {
  await take('proxy');

  expect(account.unserved()).toEqual(
    ['10.0.101.21', '10.0.102.21'].flatMap((node) =>
      [80, 81].map((port) => `m0 in proxy while ${node} sends plain to ${port}`),
    ),
  );
  expect(account.unserved()).toEqual([]);
});

test('a policy under a receiver that is plain is not served, under one in both it is', async () => {
  await take('both');
  await setPolicy(81);
  expect(account.unserved()).toEqual([]);

  await take('plain');
  expect(account.unserved()).toEqual([
    'm0 in plain while 10.0.101.21 sends proxy to 81',
    'm0 in plain while 10.0.102.21 sends proxy to 81',
  ]);
});

test('what it has measured says who followed, and since when', async () => {
  await take('both');
  const before = await measure();
  await setPolicy(81);
  const behind = await measure();

  expect(before.probes).toBe('000');
  expect(before.seen).toHaveLength(4);
  expect(behind.probes).toBe('011');
  expect(behind.seen).toContainEqual(['81', '10.0.101.21', 'plain', 9, expect.any(Number)]);
  expect(behind.seen).toContainEqual(['81', '10.0.101.21', 'proxy', 9, 0.01]);
});
