/**
 * What the APIs say that the product relies on: no instance is needed. Questions with an id are assumptions of docs/assumptions.md;
 * the others are documented, and asked so that the rehearsal stays true.
 */
import { randomUUID } from 'node:crypto';
import { DescribeNetworkInterfacesCommand, DescribeSubnetsCommand } from '@aws-sdk/client-ec2';
import {
  CreateLoadBalancerCommand,
  CreateLoadBalancerListenersCommand,
  CreateLoadBalancerPolicyCommand,
  DeleteLoadBalancerListenersCommand,
  DeleteLoadBalancerPolicyCommand,
  DescribeLoadBalancerPoliciesCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  SetLoadBalancerPoliciesForBackendServerCommand,
  SetLoadBalancerPoliciesOfListenerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import {
  CreateAssociationCommand,
  DeleteParameterCommand,
  DescribeAssociationCommand,
  GetParameterCommand,
  GetParametersByPathCommand,
  ListCommandInvocationsCommand,
  ListCommandsCommand,
  PutParameterCommand,
  SendCommandCommand,
  StartAutomationExecutionCommand,
} from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, tellAtTheEnd } from './ask.ts';
import { createDocument, type Ended, endOf, pathOf, run, type Step, start } from './runbooks.ts';
import { sweep } from './sweep.mjs';
import { nameOf, openTarget, RUN_ID, TAG, type Target } from './target.ts';
import { until } from './until.ts';

let target: Target;

beforeAll(async () => {
  target = await openTarget();
}, 120_000);
afterAll(async () => {
  await target?.close();
}, 60_000);
tellAtTheEnd();

/** The code of the error as it is on the wire, and its HTTP status. */
const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'taken',
    (error: { Code?: string; name?: string; $metadata?: { httpStatusCode?: number } }) =>
      `${error.$metadata?.httpStatusCode} ${error.Code ?? error.name}`,
  );

describe('Classic Load Balancer', () => {
  const LoadBalancerName = nameOf('api');
  const LISTENER = { Protocol: 'TCP', LoadBalancerPort: 18_080, InstanceProtocol: 'TCP', InstancePort: 18_080 };
  const PORT = LISTENER.InstancePort;

  beforeAll(async () => {
    await target.clients.elb.send(
      new CreateLoadBalancerCommand({
        LoadBalancerName,
        Subnets: [...target.subnetIds],
        Listeners: [LISTENER],
        Tags: [TAG],
      }),
    );
  }, 60_000);

  const createPolicy = (PolicyName: string, AttributeValue = 'true') =>
    target.clients.elb.send(
      new CreateLoadBalancerPolicyCommand({
        LoadBalancerName,
        PolicyName,
        PolicyTypeName: 'ProxyProtocolPolicyType',
        PolicyAttributes: [{ AttributeName: 'ProxyProtocol', AttributeValue }],
      }),
    );
  const deletePolicy = (PolicyName: string) =>
    target.clients.elb.send(new DeleteLoadBalancerPolicyCommand({ LoadBalancerName, PolicyName }));
  const setPolicies = (InstancePort: number, ...PolicyNames: string[]) =>
    target.clients.elb.send(
      new SetLoadBalancerPoliciesForBackendServerCommand({ LoadBalancerName, InstancePort, PolicyNames }),
    );
  const describeOne = async () => {
    const { LoadBalancerDescriptions = [] } = await target.clients.elb.send(
      new DescribeLoadBalancersCommand({ LoadBalancerNames: [LoadBalancerName] }),
    );
    return LoadBalancerDescriptions[0];
  };
  /** `18080=a,b`, by port. */
  const policies = async (): Promise<string[]> =>
    ((await describeOne())?.BackendServerDescriptions ?? [])
      .map(({ InstancePort, PolicyNames = [] }) => `${InstancePort}=${[...PolicyNames].sort().join()}`)
      .sort();

  test('wears the tags that it was created with', async () => {
    const { TagDescriptions = [] } = await target.clients.elb.send(
      new DescribeTagsCommand({ LoadBalancerNames: [LoadBalancerName] }),
    );
    expect(TagDescriptions[0]?.Tags).toEqual([TAG]);
  });

  test('errors have the codes that the product looks for', async () => {
    const none = nameOf('none');
    const wrong = { LoadBalancerName: none, InstancePort: PORT, PolicyNames: [] };
    expect(
      await Promise.all([
        refusal(target.clients.elb.send(new DescribeLoadBalancersCommand({ LoadBalancerNames: [none] }))),
        refusal(target.clients.elb.send(new SetLoadBalancerPoliciesForBackendServerCommand(wrong))),
        refusal(setPolicies(PORT, 'no-such-policy')),
      ]),
    ).toEqual(['400 LoadBalancerNotFound', '400 LoadBalancerNotFound', '400 PolicyNotFound']);
  });

  test('the list of an instance port is replaced, an empty one removes it, and a port without policy is not described', async () => {
    await createPolicy('one');
    await createPolicy('two');
    expect(await policies()).toEqual([]);

    await setPolicies(PORT, 'one');
    expect(await policies()).toEqual([`${PORT}=one`]);
    await setPolicies(PORT, 'two');
    expect(await policies()).toEqual([`${PORT}=two`]);
    await setPolicies(PORT);
    expect(await policies()).toEqual([]);
  });

  test('a PROXY policy is none for a listener', async () => {
    await createPolicy('one');
    const { elb } = target.clients;
    const onListener = { LoadBalancerName, LoadBalancerPort: LISTENER.LoadBalancerPort, PolicyNames: ['one'] };
    expect(await refusal(elb.send(new SetLoadBalancerPoliciesOfListenerCommand(onListener)))).toBe(
      '409 InvalidConfigurationRequest',
    );
  });

  test('`True` is read back as something that is true whatever its case', async () => {
    await createPolicy('capital', 'True');
    const { PolicyDescriptions = [] } = await target.clients.elb.send(
      new DescribeLoadBalancerPoliciesCommand({ LoadBalancerName, PolicyNames: ['capital'] }),
    );
    expect(PolicyDescriptions).toMatchObject([
      { PolicyName: 'capital', PolicyTypeName: 'ProxyProtocolPolicyType', PolicyAttributeDescriptions: [{}] },
    ]);
    expect(PolicyDescriptions[0]?.PolicyAttributeDescriptions?.[0]?.AttributeValue?.toLowerCase()).toBe('true');
  });

  ask('A3', 'each subnet has a network interface of the load balancer, described by its name', async (note) => {
    const found = await until('there is an interface in each subnet', 180, async () => {
      const { NetworkInterfaces = [] } = await target.clients.ec2.send(
        new DescribeNetworkInterfacesCommand({
          Filters: [{ Name: 'description', Values: [`ELB ${LoadBalancerName}`] }],
        }),
      );
      const subnets = new Set(NetworkInterfaces.map(({ SubnetId }) => SubnetId));
      return subnets.size === target.subnetIds.length && NetworkInterfaces;
    });
    note(`${found.length} interfaces in ${target.subnetIds.length} subnets, of ${found[0]?.RequesterId}`);
    expect(found.every(({ PrivateIpAddress }) => PrivateIpAddress !== undefined)).toBe(true);
  });

  ask('A5', 'policies are taken for instance protocols that cannot carry the line', async (note) => {
    const listeners = [
      { Protocol: 'HTTP', LoadBalancerPort: 18_081, InstanceProtocol: 'HTTP', InstancePort: 18_081 },
      { Protocol: 'TCP', LoadBalancerPort: 18_082, InstanceProtocol: 'SSL', InstancePort: 18_082 },
    ];
    await createPolicy('one');
    const { elb } = target.clients;
    await elb.send(new CreateLoadBalancerListenersCommand({ LoadBalancerName, Listeners: listeners }));

    for (const { InstanceProtocol, InstancePort } of listeners)
      note(`${InstanceProtocol}: ${await refusal(setPolicies(InstancePort, 'one'))}`);
    expect(await policies()).toEqual(['18081=one', '18082=one']);
    for (const { InstancePort } of listeners) await setPolicies(InstancePort);
  });

  ask('A7', 'a policy on an instance port cannot be deleted, one that is gone can', async (note) => {
    await createPolicy('used');
    await setPolicies(PORT, 'used');
    const whileUsed = await refusal(deletePolicy('used'));
    await setPolicies(PORT);
    await deletePolicy('used');
    const whenGone = await refusal(deletePolicy('used'));
    note(`in use: ${whileUsed}; gone: ${whenGone}`);
    expect([whileUsed, whenGone]).toEqual(['409 InvalidConfigurationRequest', 'taken']);
  });

  ask('A8', 'there is room for one more policy than a load balancer is likely to have', async (note) => {
    let made = 0;
    let said = 'taken';
    while (made < 40 && said === 'taken') {
      said = await refusal(createPolicy(`many-${made}`));
      if (said === 'taken') made += 1;
    }
    note(said === 'taken' ? `${made} and no limit met` : `${made}, then ${said}`);
    for (let index = 0; index < made; index += 1) await deletePolicy(`many-${index}`);
    expect(made).toBeGreaterThanOrEqual(10);
  });

  ask('A16', 'a policy is set where no listener is, and stays when its listener goes', async () => {
    const listener = { ...LISTENER, LoadBalancerPort: 18_083, InstancePort: 18_083 };
    const { elb } = target.clients;
    await createPolicy('one');
    await setPolicies(18_083, 'one');
    expect(await policies()).toEqual(['18083=one']);

    await elb.send(new CreateLoadBalancerListenersCommand({ LoadBalancerName, Listeners: [listener] }));
    await elb.send(new DeleteLoadBalancerListenersCommand({ LoadBalancerName, LoadBalancerPorts: [18_083] }));
    expect(await policies()).toEqual(['18083=one']);
    await setPolicies(18_083);
  });

  ask('A17', 'the same policy again, and another content under its name', async (note) => {
    await createPolicy('again');
    const [same, other] = [await refusal(createPolicy('again')), await refusal(createPolicy('again', 'false'))];
    note(`same: ${same}; other: ${other}`);
    expect(['taken', '400 DuplicatePolicyName']).toContain(same);
    expect(other).toBe('400 DuplicatePolicyName');
  });
});

describe('Systems Manager', () => {
  const noInstance = { Key: `tag:${TAG.Key}`, Values: [`${RUN_ID}-nobody`] };
  const PATTERNED = nameOf('command');
  const parameter = (name: string) => `/${TAG.Key}/${RUN_ID}/${name}`;

  beforeAll(async () => {
    await createDocument(target.clients.ssm, PATTERNED, 'Command', {
      schemaVersion: '2.2',
      parameters: {
        Joining: { type: 'String', allowedPattern: '^(\\{\\{ ?ssm:[A-Za-z0-9/._-]+ ?\\}\\}|wait)$', default: 'wait' },
      },
      mainSteps: [{ action: 'aws:runShellScript', name: 'Nothing', inputs: { runCommand: ['echo "{{ Joining }}"'] } }],
    });
  }, 60_000);

  test('a parameter is created once, counts its versions, and is listed by its path', async () => {
    const { ssm } = target.clients;
    const Name = parameter('lock');
    const put = (Value: string, Overwrite: boolean) =>
      ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite }));
    await put('first', false);
    expect(await refusal(put('second', false))).toBe('400 ParameterAlreadyExists');
    expect((await put('third', true)).Version).toBe(2);

    const { Parameters = [] } = await ssm.send(new GetParametersByPathCommand({ Path: parameter('').slice(0, -1) }));
    expect(Parameters.map((each) => [each.Name, each.Value])).toEqual([[Name, 'third']]);
    await ssm.send(new DeleteParameterCommand({ Name }));
    expect(await refusal(ssm.send(new GetParameterCommand({ Name })))).toBe('400 ParameterNotFound');
    expect(await refusal(ssm.send(new DeleteParameterCommand({ Name })))).toBe('400 ParameterNotFound');
  });

  ask('A9', 'a command to no instance is a Success, with no invocation', async (note) => {
    const { ssm } = target.clients;
    const { Command } = await ssm.send(new SendCommandCommand({ DocumentName: PATTERNED, Targets: [noInstance] }));
    const CommandId = Command?.CommandId ?? '';
    const ended = await until('the command has ended', 120, async () => {
      const [each] = (await ssm.send(new ListCommandsCommand({ CommandId }))).Commands ?? [];
      return !['Pending', 'InProgress'].includes(each?.Status ?? 'Pending') && each;
    });
    note(`${ended.Status}, ${ended.StatusDetails}, ${ended.TargetCount} targets`);
    expect([ended.Status, ended.TargetCount]).toEqual(['Success', 0]);
    const { CommandInvocations } = await ssm.send(new ListCommandInvocationsCommand({ CommandId }));
    expect(CommandInvocations).toEqual([]);
  });

  ask('A15', 'an association takes a reference to a parameter as a value', async () => {
    const { ssm } = target.clients;
    const Name = parameter('joining');
    await ssm.send(new PutParameterCommand({ Name, Value: 'wait', Type: 'String' }));
    const { AssociationDescription } = await ssm.send(
      new CreateAssociationCommand({
        Name: PATTERNED,
        AssociationName: nameOf('join'),
        Targets: [noInstance],
        Parameters: { Joining: [`{{ssm:${Name}}}`] },
      }),
    );
    const { AssociationId } = AssociationDescription ?? {};
    const read = await ssm.send(new DescribeAssociationCommand({ AssociationId }));
    expect(read.AssociationDescription?.Parameters).toEqual({ Joining: [`{{ssm:${Name}}}`] });
  });
});

describe('Automation', () => {
  const call = (name: string, inputs: Record<string, unknown>, more: Record<string, unknown> = {}): Step => ({
    name,
    action: 'aws:executeAwsApi',
    inputs,
    ...more,
  });
  const missing = { Service: 'ssm', Api: 'GetParameter', Name: `/${TAG.Key}/${RUN_ID}/missing` };
  const fail = (name: string, more: Record<string, unknown> = {}) => call(name, missing, more);
  const subnets = { Service: 'ec2', Api: 'DescribeSubnets', SubnetIds: '{{ SubnetIds }}' };
  const pass = (name: string, more: Record<string, unknown> = {}) => call(name, subnets, more);
  const loop = (steps: Step[], inputs: Record<string, unknown>, more: Record<string, unknown> = {}): Step => ({
    name: 'Loop',
    action: 'aws:loop',
    inputs: { ...inputs, Steps: steps },
    ...more,
  });
  const asked = pass('Ask', { outputs: [{ Name: 'vpc', Selector: '$.Subnets[0].VpcId', Type: 'String' }] });
  const stays = { Variable: '{{ Ask.vpc }}', StartsWith: 'vpc-' };
  const goes = { Variable: '{{ Ask.vpc }}', StringEquals: 'none' };

  const orders: readonly (readonly [string, readonly Step[], readonly string[], string])[] = [
    [
      'a step that fails goes where its onFailure says, and the execution is Failed',
      [fail('Try', { onFailure: 'step:Undo' }), pass('Not', { isEnd: true }), pass('Undo', { isEnd: true })],
      ['Try Failed', 'Undo Success'],
      'Failed',
    ],
    [
      'where it is not critical, the execution is a Success',
      [
        fail('Try', { onFailure: 'step:Next', isCritical: false }),
        pass('Not', { isEnd: true }),
        pass('Next', { isEnd: true }),
      ],
      ['Try Failed', 'Next Success'],
      'Success',
    ],
    [
      'a branch that chooses nothing and isEnd ends as a Success',
      [
        {
          name: 'Choose',
          action: 'aws:branch',
          isEnd: true,
          inputs: { Choices: [{ NextStep: 'Not', Variable: 'a', StringEquals: 'b' }] },
        },
        pass('Not'),
      ],
      ['Choose Success'],
      'Success',
    ],
    [
      'a loop is left when its condition, asked of a step in it, does not hold',
      [loop([asked], { MaxIterations: 3, LoopCondition: goes }), pass('Next')],
      ['Loop Success', 'Ask Success', 'Next Success'],
      'Success',
    ],
    [
      'a loop whose condition still holds in the last round is left as a Success',
      [loop([asked], { MaxIterations: 2, LoopCondition: stays }), pass('Next')],
      ['Loop Success', 'Ask Success', 'Ask Success', 'Next Success'],
      'Success',
    ],
    [
      'in a loop, a step that is not critical and fails goes to a step of the loop',
      [
        loop([fail('Try', { onFailure: 'step:Ask', isCritical: false }), asked], {
          MaxIterations: 1,
          LoopCondition: goes,
        }),
        pass('Next'),
      ],
      ['Loop Success', 'Try Failed', 'Ask Success', 'Next Success'],
      'Success',
    ],
    [
      'in a loop, a step that fails goes where the loop’s onFailure says',
      [
        loop([fail('Try'), asked], { MaxIterations: 2, LoopCondition: goes }, { onFailure: 'step:Undo' }),
        pass('Not', { isEnd: true }),
        pass('Undo', { isEnd: true }),
      ],
      ['Loop Failed', 'Try Failed', 'Undo Success'],
      'Failed',
    ],
  ];
  const VALUES = 'values';
  const LAST = 'last';
  let ends: Map<string, Promise<Ended>>;
  let executionOf: (question: string) => Promise<Ended>;

  beforeAll(async () => {
    const { ssm } = target.clients;
    const runbook = (mainSteps: readonly Step[], outputs: readonly string[] = []) => ({
      schemaVersion: '0.3',
      parameters: { SubnetIds: { type: 'StringList' } },
      mainSteps,
      ...(outputs.length > 0 ? { outputs } : {}),
    });
    const values = runbook(
      [
        pass('Look', { outputs: [{ Name: 'cidrs', Selector: '$.Subnets..CidrBlock', Type: 'StringList' }] }),
        call(
          'Nothing',
          {
            Service: 'ec2',
            Api: 'DescribeNetworkInterfaces',
            Filters: [{ Name: 'description', Values: ['ELB none'] }],
          },
          { outputs: [{ Name: 'addresses', Selector: '$.NetworkInterfaces..PrivateIpAddress', Type: 'StringList' }] },
        ),
        {
          name: 'Send',
          action: 'aws:runCommand',
          inputs: {
            DocumentName: nameOf('command'),
            Targets: [{ Key: `tag:${TAG.Key}`, Values: [`${RUN_ID}-nobody`] }],
          },
        },
      ],
      ['Look.cidrs', 'Nothing.addresses', 'Send.CommandId'],
    );
    const last = runbook([fail('Try', { isEnd: true, onFailure: 'step:Undo' }), pass('Undo', { isEnd: true })]);
    // All at once: each takes AWS ten seconds, most of them in waiting.
    const parameters = { SubnetIds: [...target.subnetIds] };
    ends = new Map(
      [
        ...orders.map(([question, steps]) => [question, runbook(steps)] as const),
        [VALUES, values] as const,
        [LAST, last] as const,
      ].map(([question, content], index) => [question, run(ssm, nameOf(`auto-${index}`), content, parameters)]),
    );
    // Looked at one after the other; one that fails meanwhile is no unhandled rejection.
    for (const end of ends.values()) end.catch(() => {});
    executionOf = (question) => ends.get(question) ?? Promise.reject(new Error(`nobody asked: ${question}`));
  }, 60_000);

  for (const [question, , path, status] of orders) {
    ask('A10', question, async (note) => {
      const ended = await executionOf(question);
      note(`${pathOf(ended).join(', ')}: ${ended.status}`);
      expect([pathOf(ended), ended.status]).toEqual([path, status]);
    });
  }

  ask('A10', 'where the last step fails, its onFailure may be followed or not: it is Failed', async (note) => {
    const ended = await executionOf(LAST);
    note(pathOf(ended).join(', '));
    expect(ended.status).toBe('Failed');
  });

  ask('A10', 'a list goes into a call, and comes out of its answer by a deep scan', async (note) => {
    const { outputs } = await executionOf(VALUES);
    const { Subnets = [] } = await target.clients.ec2.send(
      new DescribeSubnetsCommand({ SubnetIds: [...target.subnetIds] }),
    );
    note(`an empty list is ${JSON.stringify(outputs['Nothing.addresses'])}`);
    expect([...(outputs['Look.cidrs'] ?? [])].sort()).toEqual(Subnets.map(({ CidrBlock = '' }) => CidrBlock).sort());
  });

  ask('A9', 'as a step of a runbook it is a Success, too', async () => {
    const ended = await executionOf(VALUES);
    expect([pathOf(ended), ended.status]).toEqual([['Look Success', 'Nothing Success', 'Send Success'], 'Success']);
    expect(ended.outputs['Send.CommandId']).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  });

  ask('A11', 'a ClientToken that is used again gives the same execution or an error', async (note) => {
    const { ssm } = target.clients;
    const DocumentName = nameOf('twice');
    await createDocument(ssm, DocumentName, 'Automation', {
      schemaVersion: '0.3',
      mainSteps: [{ name: 'Sleep', action: 'aws:sleep', inputs: { Duration: 'PT1S' } }],
    });
    const ClientToken = randomUUID();
    const first = await start(ssm, { DocumentName, ClientToken });
    const again = await ssm.send(new StartAutomationExecutionCommand({ DocumentName, ClientToken })).then(
      ({ AutomationExecutionId }) => (AutomationExecutionId === first ? 'the same' : 'another'),
      (error: Error) => error.name,
    );
    note(again);
    await endOf(ssm, first);
    expect(again).not.toBe('another');
  });
});

test('what the suite has made is found and removed, and nothing else', async () => {
  const { ssm } = target.clients;
  const Name = `/${TAG.Key}s/${RUN_ID}`;
  await ssm.send(new PutParameterCommand({ Name, Value: 'of somebody else', Type: 'String' }));

  const removed: string[] = [];
  const options = { levels: ['api'] as const, say: (line: string) => removed.push(line) };
  await sweep(target.clients, options);

  const kinds = removed.map((line) => line.replace(/ [^ ]*$/, ''));
  expect(new Set(kinds)).toEqual(
    new Set(['removed load balancer', 'removed association', 'removed document', 'removed parameter']),
  );
  expect(await sweep(target.clients, options)).toBe(0);
  await ssm.send(new DeleteParameterCommand({ Name }));
}, 120_000);
