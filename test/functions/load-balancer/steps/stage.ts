/** One step on the fake AWS, between the state that those before it have left and the one that it leaves. */
import { createHandler } from '../../../../functions/load-balancer/handler.ts';
import { POLICY_NAME } from '../../../../functions/shared/policies.ts';
import type { SwitchState } from '../../../../functions/shared/switch-state.ts';
import { FakeAws, type FakeLoadBalancer, proxyPolicy } from '../../fake-aws.ts';

const STATE = '/proxyflip/web';
const JOINING = '/proxyflip/joining/web/proxyflip';

/** As Begin leaves it, of two instance ports that nothing has been changed at. */
export const BEGUN: SwitchState = {
  version: 1,
  owner: 'console',
  executionId: 'run-1',
  startedBy: 'alice',
  direction: 'enable',
  phase: 'started',
  mode: 'plain',
  startedAt: '2026-11-20T23:59:00.000Z',
  instancePorts: '80=http 81=https',
  bothPorts: '80=http 81=https',
  policyName: POLICY_NAME,
  before: {},
};

/** A load balancer that has our policy on both of its instance ports. */
export const SWITCHED_ON = {
  policies: [proxyPolicy(POLICY_NAME)],
  backend: { 80: [POLICY_NAME], 81: [POLICY_NAME] },
} satisfies Partial<FakeLoadBalancer>;

/** The load balancer `web` of the instances i-1 and i-2, and the execution `run-1`, which is under way. */
export function stage(given: Partial<FakeLoadBalancer> = {}) {
  const aws = new FakeAws();
  const web = aws.addLoadBalancer('web', {
    instanceIds: ['i-1', 'i-2'].map((id) => aws.addInstance(id)),
    ...structuredClone(given),
  });
  aws.executions.set('run-1', { status: 'InProgress' });
  const logged: object[] = [];
  const { autoScaling, elb, ssm, clock } = aws;
  const handler = createHandler({
    autoScaling,
    elb,
    ssm,
    clock,
    log: (message, fields) => {
      if (message !== 'step') logged.push({ message, ...fields });
    },
  });
  const startedAt = aws.now;

  return {
    aws,
    web,
    /** Without the line that every step begins with. */
    logged,
    /** What the runbook's selectors find in the answer. */
    async ask(operation: string, input: object = {}): Promise<unknown> {
      const answer = await handler({ operation, loadBalancerName: 'web', executionId: 'run-1', ...input });
      return (answer as { readonly Payload: unknown }).Payload;
    },
    hold(state: Partial<SwitchState> = {}): SwitchState {
      const held = { ...BEGUN, ...state };
      aws.parameters.set(STATE, [...(aws.parameters.get(STATE) ?? []), JSON.stringify(held)]);
      return held;
    },
    state: () => aws.parameter(STATE),
    /** How often it has been written, with the first time. */
    stateVersions: () => aws.parameters.get(STATE)?.length ?? 0,
    /** A stack has made the parameter that instances read when they come later. */
    expectNewcomers: () => void aws.parameters.set(JOINING, ['wait']),
    joining: () => aws.parameters.get(JOINING)?.at(-1),
    /** All calls that are not of reading, with what they name. */
    changes: () =>
      aws.calls
        .filter(({ action }) => !/^(Describe|Get|List)/.test(action))
        .map(({ action, input }) =>
          [action, input.Name ?? input.LoadBalancerName, input.InstancePort, input.PolicyNames]
            .filter((each) => each !== undefined)
            .map(String)
            .join(' '),
        ),
    sleptMs: () => aws.now - startedAt,
  };
}
