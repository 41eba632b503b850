import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { describeLoadBalancer } from '../../../functions/load-balancer/classic-elb.ts';
import { setPolicies } from '../../../functions/load-balancer/steps/set-policies.ts';
import { wishFor } from '../../../functions/load-balancer/wish.ts';
import {
  describePolicies,
  isOn,
  POLICY_NAME,
  planPolicies,
  writesProxyLine,
} from '../../../functions/shared/policies.ts';
import { formatInstancePorts } from '../../../functions/shared/ports.ts';
import type { SwitchState } from '../../../functions/shared/switch-state.ts';
import { FakeAws, type FakeLoadBalancer, listener, otherPolicy, proxyPolicy } from '../fake-aws.ts';
import { handlerOf } from '../load-balancer/driver.ts';

describe('a policy is a PROXY policy', () => {
  test.each([
    { desc: 'by type and attribute', policy: proxyPolicy('any-name'), is: true },
    {
      desc: 'whatever the case of the value (Terraform sends True)',
      policy: proxyPolicy('TFEnableProxyProtocol', 'True'),
      is: true,
    },
    { desc: 'not with the value false', policy: proxyPolicy('x', 'false'), is: false },
    { desc: 'not by its name', policy: otherPolicy('EnableProxyProtocol'), is: false },
    {
      desc: 'not by its attribute alone',
      policy: { ...proxyPolicy('x'), PolicyTypeName: 'BackendServerAuthenticationPolicyType' },
      is: false,
    },
    {
      desc: 'not by another attribute',
      policy: {
        ...proxyPolicy('x'),
        PolicyAttributeDescriptions: [{ AttributeName: 'Other', AttributeValue: 'true' }],
      },
      is: false,
    },
    {
      desc: 'not by an attribute without a value',
      policy: { ...proxyPolicy('x'), PolicyAttributeDescriptions: [{ AttributeName: 'ProxyProtocol' }] },
      is: false,
    },
    {
      desc: 'beside other attributes',
      policy: {
        ...proxyPolicy('x'),
        PolicyAttributeDescriptions: [
          { AttributeName: 'Other', AttributeValue: 'false' },
          { AttributeName: 'ProxyProtocol', AttributeValue: 'true' },
        ],
      },
      is: true,
    },
  ])('$desc', ({ policy, is }) => {
    expect(writesProxyLine({ ...policy, PolicyAttributeDescriptions: [...policy.PolicyAttributeDescriptions] })).toBe(
      is,
    );
  });
});

function policies(backend: Record<number, string[]>, existing: readonly string[] = Object.values(backend).flat()) {
  const descriptions = [...new Set(existing)].map((name) =>
    name.startsWith('auth') ? otherPolicy(name) : proxyPolicy(name),
  );
  return describePolicies(
    Object.entries(backend).map(([port, PolicyNames]) => ({ InstancePort: Number(port), PolicyNames })),
    descriptions.map((each) => ({ ...each, PolicyAttributeDescriptions: [...each.PolicyAttributeDescriptions] })),
  );
}

describe('planPolicies', () => {
  test.each([
    {
      desc: 'nothing there: one creation, one attachment a port',
      before: policies({}),
      wanted: [80, 81],
      is: {
        create: true,
        remove: false,
        foreign: [],
        attachments: [
          { instancePort: 80, policyNames: [POLICY_NAME] },
          { instancePort: 81, policyNames: [POLICY_NAME] },
        ],
      },
    },
    {
      desc: 'the calls go by the number of the port',
      before: policies({}),
      wanted: [8080, 80, 443],
      is: {
        create: true,
        remove: false,
        foreign: [],
        attachments: [80, 443, 8080].map((instancePort) => ({ instancePort, policyNames: [POLICY_NAME] })),
      },
    },
    {
      desc: 'already so: no call',
      before: policies({ 80: [POLICY_NAME] }),
      wanted: [80],
      is: { create: false, remove: false, foreign: [], attachments: [] },
    },
    {
      desc: 'other policies of the port are written back, in their order',
      before: policies({ 443: ['auth-b', 'auth-a'] }),
      wanted: [443],
      is: {
        create: true,
        remove: false,
        foreign: [],
        attachments: [{ instancePort: 443, policyNames: ['auth-b', 'auth-a', POLICY_NAME] }],
      },
    },
    {
      desc: 'a foreign PROXY policy is adopted: nothing to attach, nothing to create',
      before: policies({ 80: ['TFEnableProxyProtocol'] }),
      wanted: [80],
      is: {
        create: false,
        remove: false,
        foreign: [{ instancePort: 80, policyName: 'TFEnableProxyProtocol' }],
        attachments: [],
      },
    },
    {
      desc: 'a disable leaves the foreign one on, and takes ours from the other port',
      before: policies({ 80: ['theirs'], 81: [POLICY_NAME, 'auth'] }),
      wanted: [],
      is: {
        create: false,
        remove: true,
        foreign: [{ instancePort: 80, policyName: 'theirs' }],
        attachments: [{ instancePort: 81, policyNames: ['auth'] }],
      },
    },
    {
      desc: 'a port that is no longer wanted loses ours, with or without a listener',
      before: policies({ 80: [POLICY_NAME], 9999: [POLICY_NAME] }),
      wanted: [80],
      is: { create: false, remove: false, foreign: [], attachments: [{ instancePort: 9999, policyNames: [] }] },
    },
    {
      desc: 'ours left over without a port is deleted by a disable',
      before: policies({}, [POLICY_NAME]),
      wanted: [],
      is: { create: false, remove: true, foreign: [], attachments: [] },
    },
  ])('$desc', ({ before, wanted, is }) => {
    expect(planPolicies(before, wanted)).toEqual(is);
  });

  test('a policy of our name that does something else is refused', () => {
    expect(() =>
      describePolicies([], [{ PolicyName: POLICY_NAME, PolicyTypeName: 'BackendServerAuthenticationPolicyType' }]),
    ).toThrow(
      'ERR_POLICY_NAME_TAKEN: the load balancer has a policy proxyflip-proxy-protocol of type BackendServerAuthenticationPolicyType that does not write the PROXY line. Policies cannot be changed: delete it, then run again.',
    );
  });
});

/** Any mix of listeners, shared ports, other policies, foreign PROXY policies, and ports without a listener. */
const loadBalancers: fc.Arbitrary<FakeLoadBalancer> = fc
  .record({
    fronts: fc.uniqueArray(
      fc.record({
        loadBalancerPort: fc.integer({ min: 1, max: 20 }),
        protocol: fc.constantFrom('TCP', 'SSL'),
        instancePort: fc.integer({ min: 80, max: 85 }),
      }),
      { selector: (each) => each.loadBalancerPort, minLength: 1, maxLength: 6 },
    ),
    backend: fc.dictionary(
      fc.integer({ min: 80, max: 90 }).map(String),
      fc.uniqueArray(fc.constantFrom('auth-a', 'auth-b', 'foreign-proxy', 'TFEnableProxyProtocol'), {
        minLength: 1,
        maxLength: 3,
      }),
    ),
    isOursLeftOver: fc.boolean(),
  })
  .map(({ fronts, backend, isOursLeftOver }) => ({
    listeners: fronts.map((each) => listener(each.protocol, each.loadBalancerPort, 'TCP', each.instancePort)),
    instanceIds: [],
    healthCheckTarget: 'TCP:80',
    tags: {},
    policies: [
      otherPolicy('auth-a'),
      otherPolicy('auth-b'),
      proxyPolicy('foreign-proxy'),
      proxyPolicy('TFEnableProxyProtocol', 'True'),
      ...(isOursLeftOver ? [proxyPolicy(POLICY_NAME)] : []),
    ],
    backend,
  }));

async function run(aws: FakeAws, direction: 'enable' | 'disable'): Promise<void> {
  const wish = wishFor(await describeLoadBalancer(aws.elb, 'web'), direction, { include: [], exclude: [] });
  const state: Partial<SwitchState> = {
    version: 1,
    owner: 'console',
    executionId: 'e',
    phase: 'receivers',
    instancePorts: formatInstancePorts(wish.instancePorts),
    bothPorts: formatInstancePorts(wish.bothPorts),
    before: {},
  };
  aws.parameters.set('/proxyflip/web', [JSON.stringify(state)]);
  await setPolicies(
    { autoScaling: aws.autoScaling, elb: aws.elb, ssm: aws.ssm, clock: aws.clock, log: () => {} },
    { operation: 'SetPolicies', loadBalancerName: 'web', executionId: 'e', direction },
  );
}

function withCopyOf(loadBalancer: FakeLoadBalancer): { aws: FakeAws; web: FakeLoadBalancer } {
  const aws = new FakeAws();
  const web = aws.addLoadBalancer('web', structuredClone(loadBalancer));
  return { aws, web };
}

const lists = (web: FakeLoadBalancer) =>
  Object.fromEntries(Object.entries(web.backend).filter(([, names]) => names.length > 0));
const proxyNames = [POLICY_NAME, 'foreign-proxy', 'TFEnableProxyProtocol'];

describe('over generated load balancers', () => {
  test('after an enable each switched port has a PROXY policy, ours at most once and never beside a foreign one, and all its others', async () => {
    await fc.assert(
      fc.asyncProperty(loadBalancers, async (generated) => {
        const { aws, web } = withCopyOf(generated);
        await run(aws, 'enable');
        for (const port of new Set(generated.listeners.map((each) => each.InstancePort))) {
          const before = generated.backend[port] ?? [];
          const after = web.backend[port] ?? [];
          expect(isOn(policies({ [port]: after }), port)).toBe(true);
          expect(after.filter((name) => name !== POLICY_NAME)).toEqual(before);
          const hadForeign = before.some((name) => proxyNames.includes(name));
          expect(after.filter((name) => name === POLICY_NAME)).toHaveLength(hadForeign ? 0 : 1);
        }
        for (const [port, names] of Object.entries(generated.backend)) {
          if (!generated.listeners.some((each) => String(each.InstancePort) === port))
            expect(web.backend[Number(port)]).toEqual(names);
        }
      }),
    );
  });

  test('one creation at most, one attachment for each port whose list changed, and a second run writes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(loadBalancers, async (generated) => {
        const { aws, web } = withCopyOf(generated);
        await run(aws, 'enable');
        const changed = Object.keys(web.backend).filter(
          (port) => String(web.backend[Number(port)]) !== String(generated.backend[Number(port)] ?? []),
        );
        expect(aws.writes.filter((each) => each === 'SetLoadBalancerPoliciesForBackendServer')).toHaveLength(
          changed.length,
        );
        const had = generated.policies.some((each) => each.PolicyName === POLICY_NAME);
        expect(aws.writes.filter((each) => each === 'CreateLoadBalancerPolicy')).toHaveLength(
          changed.length > 0 && !had ? 1 : 0,
        );
        const { length } = aws.writes;
        await run(aws, 'enable');
        expect(aws.writes).toHaveLength(length);
      }),
    );
  });

  test('after a disable all is as it was, and ours is gone', async () => {
    await fc.assert(
      fc.asyncProperty(loadBalancers, async (generated) => {
        const { aws, web } = withCopyOf(generated);
        await run(aws, 'enable');
        await run(aws, 'disable');
        expect(lists(web)).toEqual(lists(generated));
        expect(web.policies.map((each) => each.PolicyName)).toEqual(
          generated.policies.map((each) => each.PolicyName).filter((name) => name !== POLICY_NAME),
        );
        const { length } = aws.writes;
        await run(aws, 'disable');
        expect(aws.writes).toHaveLength(length);
      }),
    );
  });

  test('a stop before or after any call, and a second run, give the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        loadBalancers,
        fc.constantFrom('enable' as const, 'disable' as const),
        fc.nat({ max: 25 }),
        fc.constantFrom('before' as const, 'after' as const),
        async (generated, direction, call, when) => {
          const undisturbed = withCopyOf(generated);
          await run(undisturbed.aws, 'enable');
          if (direction === 'disable') await run(undisturbed.aws, 'disable');

          const { aws, web } = withCopyOf(generated);
          if (direction === 'disable') await run(aws, 'enable');
          let calls = 0;
          aws.fault = (_action, at) => {
            if (at === when && calls++ === call) throw new Error('stopped here');
          };
          await run(aws, direction).catch(() => {});
          aws.fault = undefined;
          await run(aws, direction);

          expect(lists(web)).toEqual(lists(undisturbed.web));
          expect(web.policies).toEqual(undisturbed.web.policies);
        },
      ),
    );
  });
});

test('an operation that is not known is refused by name', async () => {
  const aws = new FakeAws();
  await expect(handlerOf(aws)({ operation: 'Delete' })).rejects.toThrow(
    /ERR_INVALID_INPUT: operation is "Delete": one of AwaitFleet, Begin/,
  );
  expect(aws.calls).toEqual([]);
});
