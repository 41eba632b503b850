/** The runbook's order, played on the fake AWS: what the steps say to each other is what Automation would pass. */
import { createHandler } from '../../../functions/load-balancer/handler.ts';
import { FakeAws, type FakeLoadBalancer } from '../fake-aws.ts';

export interface RunOptions {
  readonly direction?: 'enable' | 'disable';
  readonly executionId?: string;
  readonly owner?: string;
  readonly request?: Record<string, unknown>;
  /** Instances on which something is not as the last SetMode left it. */
  readonly tampered?: readonly string[];
  /** Called before each step, with its name. */
  readonly before?: (step: string) => void;
}

/** Steps are called with what a person gives the runbook by default. */
export function request(options: RunOptions) {
  return {
    loadBalancerName: 'web',
    executionId: options.executionId ?? 'run-1',
    direction: options.direction ?? 'enable',
    owner: options.owner ?? '',
    startedBy: '',
    tagKey: 'fleet',
    tagValue: 'web',
    includePorts: '',
    excludePorts: '22',
    foreignPolicy: 'Adopt',
    emptyFleet: 'Refuse',
    finalMode: 'proxy',
    healthPort: '8078',
    planOnly: 'no',
    ...options.request,
  };
}

export const handlerOf = ({ autoScaling, elb, ssm, clock }: FakeAws) =>
  createHandler({ autoScaling, elb, ssm, clock, log: () => {} });

export function stepsOf(aws: FakeAws) {
  const handler = handlerOf(aws);
  return async (operation: string, input: Record<string, unknown>) => {
    const executionId = String(input.executionId);
    // A step is called by an execution, which exists.
    if (!aws.executions.has(executionId)) aws.executions.set(executionId, { status: 'InProgress' });
    // biome-ignore lint/suspicious/noExplicitAny: as Automation sees it, a JSON object
    return (await handler({ operation, ...input })) as Record<string, any>;
  };
}

/** What each receiver is in; `undefined` = not installed. */
export type Receivers = Map<string, string | undefined>;

/** `web`, with two instances that have no receiver yet. */
export function newFleet(): { aws: FakeAws; web: FakeLoadBalancer; receivers: Receivers } {
  const aws = new FakeAws();
  const instanceIds = ['i-1', 'i-2'].map((id) => aws.addInstance(id));
  const web = aws.addLoadBalancer('web', { instanceIds });
  return { aws, web, receivers: new Map(instanceIds.map((id) => [id, undefined])) };
}

/** One whole run. Receivers do what they are told; nodes follow at once. */
export async function runSwitch(aws: FakeAws, receivers: Receivers, options: RunOptions = {}) {
  const step = stepsOf(aws);
  const asked = request(options);
  const { loadBalancerName, executionId, direction } = asked;
  const held = { loadBalancerName, executionId };
  aws.executions.set(executionId, { status: 'InProgress' });
  const trace: string[] = [];
  const call = async (operation: string, input: Record<string, unknown>) => {
    options.before?.(operation);
    trace.push(operation);
    return step(operation, input);
  };
  const answerMode = (id: string) =>
    aws.answer(
      id,
      Object.fromEntries(
        [...receivers].map(([instance, mode]) => [
          instance,
          { mode: mode ?? 'none', ready: mode !== undefined, intact: !options.tampered?.includes(instance) },
        ]),
      ),
    );
  const setMode = (id: string, mode: string) => {
    options.before?.(id);
    trace.push(`${id} ${mode}`);
    for (const instance of receivers.keys()) receivers.set(instance, mode);
    return answerMode(`${executionId} ${id}`);
  };

  try {
    const begun = await call('Begin', asked);
    if (begun.healthCheck === 'misfit') {
      const { includePorts, excludePorts, healthPort } = asked;
      await call('RefuseHealthCheck', {
        ...held,
        includePorts,
        excludePorts,
        healthPort,
        subnetCidrs: ['10.0.101.0/24'],
        securityGroups: [],
        commandId: answerMode(`${executionId} AskHealth`),
      });
    }
    if (begun.loadBalancer === 'gone') return { trace, finished: await call('Forget', held) };
    const planned = await call('Plan', {
      ...asked,
      subnetCidrs: ['10.0.101.0/24'],
      nodeAddresses: ['10.0.101.21', '10.0.101.21'],
    });
    const settings = `${planned.instancePorts} ${planned.trustedCidrs}`;
    const { instancePorts, finalMode, trustedCidrs } = planned;
    const compared = await call('Compare', {
      ...held,
      direction,
      commandId: answerMode(`${executionId} Status`),
      instancePorts,
      finalMode,
      trustedCidrs,
      settings,
      planOnly: asked.planOnly,
    });
    if (compared.next === 'report') return { trace, planned, compared };
    if (compared.next === 'finish')
      return { trace, finished: await call('Finish', { ...held, owner: asked.owner, mode: finalMode, settings }) };
    await call('ConfirmReceivers', { ...held, commandId: setMode('AcceptBoth', 'both'), mode: 'both' });
    await call('SetPolicies', { ...held, direction });
    const kind = direction === 'enable' ? 'proxy' : 'plain';
    const seen = String(planned.bothPorts)
      .split(' ')
      .map((each) => [each.split('=')[0], '10.0.101.21', kind, 5, 0.2]);
    const probes = String(planned.nodes)
      .split(' ')
      .map(() => (kind === 'proxy' ? '1' : '0'))
      .join('');
    aws.answer(
      `${executionId} Measure`,
      Object.fromEntries([...receivers.keys()].map((id) => [id, { uptime: 900, own: [], seen, probes }])),
    );
    const judged = await call('Judge', {
      ...held,
      direction,
      commandId: `${executionId} Measure`,
      nodes: planned.nodes,
      quietSeconds: '30',
      boundSeconds: '600',
      unmeasuredNode: 'Assume',
    });
    const concluded = await call('Conclude', { ...held, finalMode });
    await call('ConfirmReceivers', { ...held, commandId: setMode('FinalMode', concluded.mode), mode: concluded.mode });
    const finished = await call('Finish', { ...held, owner: asked.owner, mode: concluded.mode, settings });
    aws.executions.set(executionId, { status: 'Success' });
    return { trace, planned, judged, concluded, finished };
  } catch (error) {
    aws.fault = undefined;
    const undone = await step('Undo', held);
    if (undone.restore === 'yes') {
      const commandId = setMode('RestoreReceivers', undone.mode);
      undone.summary += ` ${(await step('Undone', { ...held, commandId, mode: undone.mode })).summary}`;
    }
    aws.executions.set(executionId, { status: 'Failed' });
    return { trace, error: error as Error, undone };
  }
}
