/** Look, refuse what cannot work, take the state parameter. Nothing else is changed. */
import { GetAutomationExecutionCommand } from '@aws-sdk/client-ssm';
import {
  CONSOLE_OWNER,
  createState,
  executionHasEnded,
  hasEnded,
  OtherOwnerError,
  readState,
  StateLostError,
  type StoredState,
  SwitchBusyError,
  type SwitchState,
  writeState,
} from '../../shared/switch-state.ts';
import { describeLoadBalancer, type LoadBalancer, LoadBalancerNotFoundError } from '../classic-elb.ts';
import { describeFleet } from '../fleet.ts';
import {
  asksForReceiver,
  checkController,
  checkFleet,
  checkForeign,
  checkHealthCheck,
  checkInstanceProtocols,
  checkInstances,
  checkNeighbours,
  checkPorts,
  refuse,
  warnOfNewcomers,
} from '../gates.ts';
import type { InputOf } from '../input.ts';
import { describeScalingGroups } from '../launch-hooks.ts';
import { describeNeighbours } from '../neighbours.ts';
import { POLICY_NAME } from '../policies.ts';
import { formatInstancePorts } from '../ports.ts';
import { modeFor, type Wish, wishFor } from '../wish.ts';
import type { Deps } from './deps.ts';
import { undo } from './undo.ts';

export interface BeginAnswer {
  /** `gone`: a disable of a load balancer that we had switched and that has been deleted since; there is nothing to switch. */
  readonly loadBalancer: 'found' | 'gone';
  readonly subnetIds: readonly string[];
  /** The description of the nodes' network interfaces. */
  readonly nodeDescription: string;
  readonly instancePorts: string;
  readonly warnings: string;
}

export async function begin(deps: Deps, input: InputOf<'Begin'>): Promise<BeginAnswer> {
  const { elb, ssm } = deps;
  const { loadBalancerName } = input;
  const stored = await readState(ssm, loadBalancerName);
  // Before everything else: of a load balancer that is somebody else's there is nothing more to say.
  if (stored !== undefined) await requireFree(deps, loadBalancerName, stored, input);

  let loadBalancer: LoadBalancer;
  try {
    loadBalancer = await describeLoadBalancer(elb, loadBalancerName);
  } catch (error) {
    if (!(error instanceof LoadBalancerNotFoundError) || input.direction === 'enable' || stored === undefined)
      throw error;
    await takeOver(deps, loadBalancerName, stored, {
      ...stored.state,
      executionId: input.executionId,
      phase: 'started',
    });
    return {
      loadBalancer: 'gone',
      subnetIds: [],
      nodeDescription: '',
      instancePorts: '',
      warnings: `${loadBalancerName} does not exist any more.`,
    };
  }

  const wish = wishFor(loadBalancer, input.direction, { include: input.includePorts, exclude: input.excludePorts });
  const warnings = await passGates(deps, input, loadBalancer, wish);
  if (!input.planOnly) {
    await take(deps, input, loadBalancer, wish, stored);
    await releaseIfStopped(deps, input);
  }
  return {
    loadBalancer: 'found',
    subnetIds: loadBalancer.subnetIds,
    // As EC2 shows it for a Classic Load Balancer's nodes.
    nodeDescription: `ELB ${loadBalancerName}`,
    instancePorts: formatInstancePorts(wish.instancePorts),
    warnings: warnings.join(' '),
  };
}

async function passGates(
  { elb, ssm, autoScaling }: Deps,
  input: InputOf<'Begin'>,
  loadBalancer: LoadBalancer,
  wish: Wish,
): Promise<string[]> {
  const tag = { key: input.tagKey, value: input.tagValue };
  const fleet = await describeFleet(ssm, loadBalancer.instanceIds, tag);
  const found = checkFleet(loadBalancer, fleet, tag);
  if (input.direction === 'enable') {
    found.push(
      ...checkController(loadBalancer),
      ...checkPorts(loadBalancer, wish.instancePorts),
      ...checkInstanceProtocols(loadBalancer, wish.instancePorts),
      ...checkForeign(loadBalancer.policies, wish.instancePorts, input.foreignPolicy),
      ...(input.emptyFleet === 'Refuse' ? checkInstances(loadBalancer) : []),
    );
    if (input.finalMode === 'proxy') {
      found.push(
        ...checkHealthCheck(loadBalancer, wish.instancePorts, input.healthPort),
        ...checkNeighbours(await describeNeighbours(elb, loadBalancer, wish.instancePorts), wish.instancePorts),
      );
    }
  }
  refuse(found);
  return [
    ...fleet.unregistered.map((id) => `${id} has the tag and is not registered: its receiver is switched too.`),
    ...(await newcomersAreHeld()),
    ...wish.instancePorts
      .filter(({ scheme }) => scheme === 'mixed')
      .map(
        ({ port }) =>
          `Instance port ${port} is fed by TCP and by SSL: nginx can tell the application neither. Give each an instance port of its own.`,
      ),
  ];

  async function newcomersAreHeld(): Promise<string[]> {
    // Nothing is asked of Auto Scaling where the health check does it.
    if (input.direction === 'disable' || asksForReceiver(loadBalancer)) return [];
    const groups = await describeScalingGroups(autoScaling, loadBalancer.instanceIds);
    return warnOfNewcomers(loadBalancer, input.healthPort, groups);
  }
}

async function requireFree(
  { ssm }: Deps,
  loadBalancerName: string,
  { state }: StoredState,
  input: InputOf<'Begin'>,
): Promise<void> {
  const asksAsOwner = input.owner === '' || input.owner === state.owner;
  if (!asksAsOwner && state.owner !== CONSOLE_OWNER) throw new OtherOwnerError(loadBalancerName, state.owner);
  if (state.executionId !== input.executionId && !(await executionHasEnded(ssm, state.executionId))) {
    throw new SwitchBusyError(loadBalancerName, state);
  }
}

/** Parameters that say who asks, or that the state has in a form of its own; empty ones say nothing. */
const OF_ONE_RUN = new Set(['LoadBalancerName', 'Direction', 'Owner', 'StartedBy', 'PlanOnly']);

async function take(
  deps: Deps,
  input: InputOf<'Begin'>,
  { policies }: LoadBalancer,
  wish: Wish,
  stored: StoredState | undefined,
): Promise<void> {
  const { ssm, clock } = deps;
  const previous = stored?.state;
  const isSettled =
    previous === undefined ||
    previous.phase === 'done' ||
    previous.phase === 'undone' ||
    // This step itself, called a second time.
    (previous.phase === 'started' && previous.executionId === input.executionId);
  const ports = wish.bothPorts.map((each) => each.port);
  const execution = await describeExecution(deps, input.executionId);
  const state: SwitchState = {
    version: 1,
    owner: input.owner !== '' ? input.owner : (previous?.owner ?? CONSOLE_OWNER),
    executionId: input.executionId,
    startedBy: input.startedBy !== '' ? input.startedBy : execution.startedBy,
    direction: input.direction,
    phase: 'started',
    // Of a run that died nobody knows where its receivers are, nor of a policy that somebody else attached: `both` always serves.
    mode: isSettled ? (previous?.mode ?? (modeFor(policies, ports) === 'plain' ? 'plain' : 'both')) : 'both',
    startedAt: new Date(clock.now()).toISOString(),
    instancePorts: formatInstancePorts(wish.instancePorts),
    bothPorts: formatInstancePorts(wish.bothPorts),
    policyName: POLICY_NAME,
    before: isSettled ? Object.fromEntries(policies.byPort) : (previous?.before ?? {}),
    parameters: execution.parameters,
    ...(previous?.settled === undefined ? {} : { settled: previous.settled }),
  };
  if (stored === undefined && (await createState(ssm, input.loadBalancerName, state))) return;
  // Another was first, between our look and our write: one that is at work, or a step of a cancelled execution that went on.
  const holder = stored ?? (await readState(ssm, input.loadBalancerName));
  if (holder === undefined) throw new StateLostError(input.loadBalancerName, input.executionId, undefined);
  if (stored === undefined) await requireFree(deps, input.loadBalancerName, holder, input);
  await takeOver(deps, input.loadBalancerName, holder, state);
}

/**
 * A Lambda invocation cannot be ended: this step goes on when its execution is cancelled, and may take the state after the undo has
 * looked and found nothing. Nobody would release it then; a stack that has been deleted meanwhile would own the load balancer for ever.
 * Looked at behind the write: whichever of the two comes second sees what the first has done.
 */
async function releaseIfStopped(deps: Deps, { loadBalancerName, executionId }: InputOf<'Begin'>): Promise<void> {
  const { ssm } = deps;
  const { AutomationExecution } = await ssm.send(
    new GetAutomationExecutionCommand({ AutomationExecutionId: executionId }),
  );
  const status = AutomationExecution?.AutomationExecutionStatus;
  if (status !== 'Cancelling' && !hasEnded(status)) return;
  await undo(deps, { operation: 'Undo', loadBalancerName, executionId });
  throw new StateLostError(loadBalancerName, executionId, undefined);
}

async function takeOver(
  { ssm }: Deps,
  loadBalancerName: string,
  stored: StoredState,
  state: SwitchState,
): Promise<void> {
  try {
    await writeState(ssm, loadBalancerName, stored, state);
  } catch (error) {
    if (error instanceof StateLostError && error.holder !== undefined)
      throw new SwitchBusyError(loadBalancerName, error.holder);
    throw error;
  }
}

async function describeExecution(
  { ssm }: Deps,
  executionId: string,
): Promise<{ readonly startedBy: string; readonly parameters: Readonly<Record<string, string>> }> {
  const { AutomationExecution } = await ssm.send(
    new GetAutomationExecutionCommand({ AutomationExecutionId: executionId }),
  );
  return {
    startedBy: AutomationExecution?.ExecutedBy ?? 'unknown',
    parameters: Object.fromEntries(
      Object.entries(AutomationExecution?.Parameters ?? {})
        .filter(([name]) => !OF_ONE_RUN.has(name))
        .map(([name, [value = '']]) => [name, value] as const)
        .filter(([, value]) => value !== ''),
    ),
  };
}
