import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Call, RESET } from '../../../rehearsal/aws/faults.ts';
import type { ApiFault } from '../../../rehearsal/faults/api-faults.ts';
import { Injector } from '../../../rehearsal/faults/injector.ts';
import { describeCall } from '../../../rehearsal/faults/recorded-call.ts';

const RUN = '11111111-1111-1111-1111-111111111111';
const AUTOMATION = `ASIA:stack-AutomationRole-1:Automation-${RUN}`;
const FUNCTION = 'ASIA:stack-LoadBalancerFunctionRole-1:stack-LoadBalancerFunction-1';

let injector: Injector;
let numbers = 0;

beforeEach(() => {
  injector = new Injector();
});

const step = (stepName: string, iteration?: number, executionId = RUN) =>
  injector.onEvent({
    type: 'step',
    at: 0,
    executionId,
    stepExecutionId: 's',
    stepName,
    action: 'aws:sleep',
    status: 'InProgress',
    iteration,
    failureMessage: undefined,
  });

const call = (accessKeyId: string, name: string, invocationId?: string): Call => {
  const [service = '', action = ''] = name.split(':');
  numbers += 1;
  const requestId = String(numbers);
  const common = { service, action, protocol: 'awsJson1_1', input: {}, accessKeyId, requestId } as const;
  return invocationId === undefined ? common : { ...common, invocationId };
};

const recorded = () => injector.recorded.map(describeCall);

describe('calls', () => {
  test('are told by who makes them, in which step, and how many were before', async () => {
    injector.begin('enable', () => undefined);
    step('Begin');
    await injector.before(call(AUTOMATION, 'lambda:Invoke'));
    await injector.before(call(FUNCTION, 'ssm:GetParameter', 'a'));
    await injector.before(call(FUNCTION, 'ssm:GetParameter', 'b'));
    step('Plan');
    await injector.before(call(FUNCTION, 'ssm:GetParameter', 'c'));

    expect(recorded()).toEqual([
      'Begin lambda:Invoke (Automation)',
      'Begin ssm:GetParameter',
      'Begin ssm:GetParameter 2',
      'Plan ssm:GetParameter',
    ]);
  });

  test.each([
    { what: 'of people', by: 'rehearsal', round: undefined },
    { what: 'of another execution', by: 'ASIA:stack-AutomationRole-1:Automation-other', round: undefined },
    { what: 'of another function', by: 'ASIA:role:stack-DriftCheckFunction-1', round: undefined },
    { what: 'of the second round of a loop', by: FUNCTION, round: 2 },
  ])('$what are not recorded', async ({ by, round }) => {
    injector.begin('enable', () => undefined);
    step('Judge', round);
    await injector.before(call(by, 'ssm:GetParameter', 'a'));

    expect(recorded()).toEqual([]);
  });

  test('of Automation itself are one where a step is tried again, and many around a command', async () => {
    injector.begin('enable', () => undefined);
    step('DescribeSubnets');
    for (let attempt = 1; attempt <= 3; attempt += 1) await injector.before(call(AUTOMATION, 'ec2:DescribeSubnets'));
    step('AcceptBoth');
    for (let look = 1; look <= 2; look += 1) await injector.before(call(AUTOMATION, 'ssm:ListCommands'));

    expect(recorded()).toEqual([
      'DescribeSubnets ec2:DescribeSubnets (Automation)',
      'AcceptBoth ssm:ListCommands (Automation)',
      'AcceptBoth ssm:ListCommands 2 (Automation)',
    ]);
  });

  test('that the SDK repeats are one call, and so are those of a step that is tried again', async () => {
    injector.begin('enable', () => undefined);
    step('Undo');
    for (const invocationId of ['a', 'a', 'b', 'b']) {
      if (invocationId === 'b') await injector.before(call(AUTOMATION, 'lambda:Invoke'));
      await injector.before(call(FUNCTION, 'ssm:GetParameter', invocationId));
    }

    expect(recorded()).toEqual(['Undo ssm:GetParameter', 'Undo lambda:Invoke (Automation)']);
  });
});

describe('a fault', () => {
  const twice: ApiFault = {
    name: 'reset twice',
    isSurvivedAt: () => true,
    before: (_call, attempt) => (attempt <= 2 ? RESET : undefined),
  };

  test('befalls its own call alone, and is counted', async () => {
    injector.begin('enable', ({ operation }) => (operation === 'ssm:PutParameter' ? twice : undefined));
    step('Begin');
    const verdicts: unknown[] = [];
    for (const name of ['ssm:GetParameter', 'ssm:PutParameter', 'ssm:PutParameter', 'ssm:PutParameter']) {
      verdicts.push(await injector.before(call(FUNCTION, name, name)));
    }

    expect(verdicts).toEqual([undefined, RESET, RESET, undefined]);
    expect(injector.recorded.map((each) => injector.fired(each))).toEqual([0, 2]);
  });

  test('counts from its beginning: whoever waits for an answer may have gone before a silence is over', () => {
    const silent: ApiFault = { name: 'silence', isSurvivedAt: () => true, after: () => new Promise(() => {}) };
    injector.begin('enable', () => silent);
    step('Begin');
    const one = call(FUNCTION, 'ssm:GetParameter', 'a');
    void injector.before(one);
    void injector.after(one);

    expect(injector.recorded.map((each) => injector.fired(each))).toEqual([1]);
  });

  test('of a run before counts for nothing', async () => {
    injector.begin('enable', () => twice);
    step('Begin');
    await injector.before(call(FUNCTION, 'ssm:GetParameter', 'a'));
    const [first] = injector.recorded;
    injector.begin('enable', () => undefined);

    expect(first && injector.fired(first)).toBe(0);
  });
});
