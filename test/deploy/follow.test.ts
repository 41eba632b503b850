import { readFileSync } from 'node:fs';
import {
  CloudFormationClient,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type StackEvent,
} from '@aws-sdk/client-cloudformation';
import { GetAutomationExecutionCommand, GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { parse } from 'yaml';
import { causes, newEvents, underWay } from '../../deploy/events.ts';
import { followStack } from '../../deploy/follow.ts';
import { describeSwitch } from '../../deploy/switch-words.ts';

const RUNBOOK = parse(readFileSync('ssm-documents/switch.yml', 'utf8'));

const cloudFormation = new CloudFormationClient({ region: 'eu-central-1' });
const ssm = new SSMClient({ region: 'eu-central-1' });
const stacks = mockClient(cloudFormation);
const systemsManager = mockClient(ssm);

let count = 0;
const event = (id: string, status: string, reason?: string, more: Partial<StackEvent> = {}): StackEvent => ({
  StackId: 's',
  StackName: 's',
  EventId: String(count++),
  Timestamp: new Date(0),
  LogicalResourceId: id,
  PhysicalResourceId: id,
  ResourceType: id === 's' ? 'AWS::CloudFormation::Stack' : 'AWS::X::Y',
  ResourceStatus: status as NonNullable<StackEvent['ResourceStatus']>,
  ...(reason !== undefined && { ResourceStatusReason: reason }),
  ...more,
});

/** Of the resource that runs the switch, with its properties as events have them. */
const switching = (status: string, more: Partial<StackEvent> = {}): StackEvent =>
  event('ProxyProtocol', status, undefined, {
    ResourceType: 'Custom::ProxyProtocol',
    ResourceProperties: '{"LoadBalancerName":"web"}',
    ...more,
  });

beforeEach(() => {
  stacks.reset();
  systemsManager.reset();
});

describe('events', () => {
  test('that are new are read page by page, and no page behind a known one', async () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => event(id, 'CREATE_COMPLETE'));
    stacks
      .on(DescribeStackEventsCommand)
      .resolvesOnce({ StackEvents: [d, c] as StackEvent[], NextToken: '2' })
      .resolvesOnce({ StackEvents: [b, a] as StackEvent[], NextToken: '3' })
      .rejects(new Error('no further page was to be read'));

    const found = await newEvents(cloudFormation, 's', new Set([a?.EventId ?? '']));
    expect(found.map(({ LogicalResourceId }) => LogicalResourceId)).toEqual(['b', 'c', 'd']);
  });

  test('tell what is being worked on', () => {
    const events = [
      event('s', 'CREATE_IN_PROGRESS'),
      event('Role', 'CREATE_IN_PROGRESS'),
      event('Role', 'CREATE_COMPLETE'),
      event('Function', 'CREATE_IN_PROGRESS'),
      event('Switch', 'CREATE_IN_PROGRESS'),
    ];
    expect(underWay(events).map(({ LogicalResourceId }) => LogicalResourceId)).toEqual(['Function', 'Switch']);
  });

  test('tell the cause, and not its echo', () => {
    const events = [
      event('Switch', 'CREATE_FAILED', 'ERR_PACKAGES: …'),
      event('Other', 'CREATE_FAILED', 'Resource creation cancelled'),
      event('Nested', 'CREATE_FAILED', 'Embedded stack arn:… was not successfully created: …'),
      event('s', 'ROLLBACK_IN_PROGRESS', 'The following resource(s) failed to create: [Switch]. '),
    ];
    expect(causes(events)).toEqual(['Switch: ERR_PACKAGES: …']);
  });
});

describe('the runbook’s step', () => {
  const execution = (...steps: readonly (readonly [string, string])[]) => ({
    StepExecutions: steps.map(([StepName, StepStatus]) => ({ StepName, StepStatus }) as never),
  });

  test('is told in the runbook’s own words, the loop before the steps inside of it', () => {
    const words = describeSwitch(
      RUNBOOK,
      execution(
        ['SetPolicies', 'Success'],
        ['MeasureLoop', 'InProgress'],
        ['MeasureReceivers', 'InProgress'],
        // Systems Manager lists what was not reached yet, too.
        ['Finish', 'Pending'],
      ),
      { phase: 'measuring', remaining: 'node 10.0.0.1 sent 3; node 10.0.0.2 sent 4; node 10.0.0.3 sent 1 (2 of 60 s)' },
    );

    const { description } = RUNBOOK.mainSteps.find(({ name }: { name: string }) => name === 'MeasureLoop');
    expect(words).toEqual([
      `MeasureLoop: ${description}`,
      'still: node 10.0.0.1 sent 3; node 10.0.0.2 sent 4; and 1 more',
    ]);
  });

  test('is nothing when none is under way', () => {
    expect(describeSwitch(RUNBOOK, execution(['Begin', 'Success']), { phase: 'started' })).toEqual([]);
  });

  test.each(['PrepareReceivers', 'SetPolicies', 'MeasureLoop', 'SettleReceivers', 'SurveyReceivers', 'Undo'])(
    '%s explains itself: it is one that takes its time',
    (name) => {
      const step = RUNBOOK.mainSteps.find((each: { name: string }) => each.name === name);
      expect(step?.description).toMatch(/\w{3}/);
    },
  );
});

describe('a stack is followed', () => {
  test('until it is at rest, with what it waits for when nothing happens', async () => {
    const events = [event('s', 'CREATE_IN_PROGRESS'), switching('CREATE_IN_PROGRESS')];
    const end = [switching('CREATE_COMPLETE'), event('s', 'CREATE_COMPLETE')];
    let now = 0;
    // What it was before, for a moment: CloudFormation answers ExecuteChangeSet before it begins.
    const status = () => (now === 0 ? 'UPDATE_COMPLETE' : now < 50_000 ? 'CREATE_IN_PROGRESS' : 'CREATE_COMPLETE');
    stacks
      .on(DescribeStacksCommand)
      .callsFake(() => ({ Stacks: [{ StackName: 's', CreationTime: new Date(0), StackStatus: status() }] }));
    stacks
      .on(DescribeStackEventsCommand)
      .callsFake(() => ({ StackEvents: (now < 50_000 ? events : [...events, ...end]).toReversed() }));
    systemsManager.on(GetParameterCommand).resolves({
      Parameter: {
        Value: JSON.stringify({ version: 1, owner: 'x', executionId: 'e', phase: 'receivers' }),
        Version: 1,
      },
    });
    systemsManager.on(GetAutomationExecutionCommand).resolves({
      AutomationExecution: { StepExecutions: [{ StepName: 'PrepareReceivers', StepStatus: 'InProgress' }] },
    });
    const said: string[] = [];
    const clock = {
      now: () => now,
      sleep: async (ms: number) => {
        now += ms;
      },
    };

    const { stack } = await followStack(
      { cloudFormation, ssm, clock, say: (line) => void said.push(`${now / 1000} ${line}`) },
      's',
      new Set(),
      { mainSteps: [{ name: 'PrepareReceivers', description: 'Every receiver.' }] },
    );

    expect(stack?.StackStatus).toBe('CREATE_COMPLETE');
    expect(said).toEqual([
      '0 CREATE_IN_PROGRESS    stack  s',
      '0 CREATE_IN_PROGRESS    Custom::ProxyProtocol  ProxyProtocol',
      '0   PrepareReceivers: Every receiver.',
      '20   waiting for ProxyProtocol',
      '40   waiting for ProxyProtocol',
      '50 CREATE_COMPLETE       Custom::ProxyProtocol  ProxyProtocol',
      '50 CREATE_COMPLETE       stack  s',
    ]);
  });

  test('also where the state of the switch may not be read', async () => {
    stacks
      .on(DescribeStacksCommand)
      .resolvesOnce({ Stacks: [{ StackName: 's', CreationTime: new Date(0), StackStatus: 'CREATE_IN_PROGRESS' }] })
      .resolves({ Stacks: [] });
    stacks.on(DescribeStackEventsCommand).resolves({ StackEvents: [switching('CREATE_IN_PROGRESS')] });
    systemsManager.on(GetParameterCommand).rejects(Object.assign(new Error(), { name: 'AccessDeniedException' }));
    const deps = { cloudFormation, ssm, clock: { now: () => 0, sleep: async () => {} }, say: () => {} };

    expect((await followStack(deps, 's', new Set(), {})).stack).toBeUndefined();
  });

  test('with the stacks that it nests, from this deployment on', async () => {
    const nested = (id: string, status: string, at: number) =>
      event(id, status, undefined, { StackId: 'n', StackName: 's-Nested', Timestamp: new Date(at) });
    const parent = [
      event('s', 'UPDATE_IN_PROGRESS', undefined, { Timestamp: new Date(900) }),
      event('Nested', 'UPDATE_IN_PROGRESS', undefined, {
        ResourceType: 'AWS::CloudFormation::Stack',
        PhysicalResourceId: 'n',
        Timestamp: new Date(1000),
      }),
      event('s', 'UPDATE_COMPLETE', undefined, { Timestamp: new Date(2000) }),
    ];
    const inside = [
      nested('Role', 'CREATE_COMPLETE', 500),
      event('n', 'UPDATE_IN_PROGRESS', undefined, { StackId: 'n', PhysicalResourceId: 'n', Timestamp: new Date(1000) }),
      nested('Role', 'UPDATE_COMPLETE', 1500),
    ];
    stacks
      .on(DescribeStacksCommand)
      .resolves({ Stacks: [{ StackName: 's', CreationTime: new Date(0), StackStatus: 'UPDATE_COMPLETE' }] });
    stacks.on(DescribeStackEventsCommand, { StackName: 's' }).resolves({ StackEvents: parent.toReversed() });
    stacks.on(DescribeStackEventsCommand, { StackName: 'n' }).resolves({ StackEvents: inside.toReversed() });
    const said: string[] = [];
    const deps = {
      cloudFormation,
      ssm,
      clock: { now: () => 0, sleep: async () => {} },
      say: (line: string) => void said.push(line),
    };

    await followStack(deps, 's', new Set(), {});

    expect(said).toEqual([
      'UPDATE_IN_PROGRESS    stack  s',
      'UPDATE_IN_PROGRESS    AWS::CloudFormation::Stack  Nested',
      'UPDATE_COMPLETE       AWS::X::Y  s-Nested/Role',
      'UPDATE_COMPLETE       stack  s',
    ]);
  });
});
