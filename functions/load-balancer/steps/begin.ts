/** Look, refuse what cannot work, take the state parameter. Nothing else is changed. */
import { GetAutomationExecutionCommand } from '@aws-sdk/client-ssm';
import { POLICY_NAME } from '../../shared/policies.ts';
import { formatInstancePorts } from '../../shared/ports.ts';
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
  GateError,
  refuse,
  warnOfNewcomers,
} from '../gates.ts';
import type { InputOf } from '../input.ts';
import { describeScalingGroups } from '../launch-hooks.ts';
import { describeNeighbours } from '../neighbours.ts';
import { modeFor, type Wish, wishFor } from '../wish.ts';
import type { Deps } from './deps.ts';
import { undo } from './undo.ts';

export interface BeginAnswer {
  /** `gone`: a disable of a load balancer that we had switched and that has been deleted since; there is nothing to switch. */
  readonly loadBalancer: 'found' | 'gone';
  /** `misfit`: a strict receiver would fail it, and nothing else stands in the way; the lock was not taken. */
  readonly healthCheck: 'fits' | 'misfit';
  /** Some of the registered ones, to look at how they are reached. */
  readonly instanceIds: readonly string[];
  readonly subnetIds: readonly string[];
  /** The description of the nodes' network interfaces. */
  readonly nodeDescription: string;
  readonly instancePorts: string;
  readonly warnings: string;
}

/** EC2's description of an instance has some kilobytes, and a step's answer a limit. */
const SAMPLE = 20;

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
    await writeState(ssm, loadBalancerName, stored, {
      ...stored.state,
      executionId: input.executionId,
      phase: 'started',
    });
    return {
      loadBalancer: 'gone',
      healthCheck: 'fits',
      instanceIds: [],
      subnetIds: [],
      nodeDescription: '',
      instancePorts: '',
      warnings: `${loadBalancerName} does not exist any more.`,
    };
  }

  const wish = wishFor(loadBalancer, input.direction, { include: input.includePorts, exclude: input.excludePorts });
  const { warnings, healthCheck } = await passGates(deps, input, loadBalancer, wish);
  if (!input.planOnly && healthCheck === 'fits') {
    await takeFree(deps, input, loadBalancer, wish, stored);
    await releaseIfStopped(deps, input);
  }
  return {
    loadBalancer: 'found',
    healthCheck,
    instanceIds: loadBalancer.instanceIds.slice(0, SAMPLE),
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
): Promise<Pick<BeginAnswer, 'healthCheck'> & { readonly warnings: readonly string[] }> {
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
      found.push(...checkNeighbours(await describeNeighbours(elb, loadBalancer, wish.instancePorts)));
    }
  }
  const misfits =
    input.direction === 'enable' && input.finalMode === 'proxy'
      ? checkHealthCheck(loadBalancer, wish.instancePorts)
      : [];
  // Alone, it is worth a look at the way out; among others it is one line more.
  if (found.length > 0) {
    const advice = 'The way out is told when nothing else is in the way.';
    refuse([...found, ...misfits.map((each) => new GateError('ERR_HEALTH_CHECK', `${each} ${advice}`))]);
  }
  const warnings = [
    ...fleet.unregistered.map((id) => `${id} has the tag and is not registered: its receiver is switched too.`),
    ...(await newcomersAreHeld()),
    ...wish.instancePorts
      .filter(({ scheme }) => scheme === 'mixed')
      .map(
        ({ port }) =>
          `Instance port ${port} is fed by TCP and by SSL: nginx can tell the application neither. Give each an instance port of its own.`,
      ),
  ];
  return { warnings, healthCheck: misfits.length === 0 ? 'fits' : 'misfit' };

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

/** A cancelled step that goes on writes twice at most: takes the state, and undoes itself. */
const LOOKS = 3;

/** Another may write or delete between our look and our write: then everything is looked at again, the owner too. */
async function takeFree(
  deps: Deps,
  input: InputOf<'Begin'>,
  loadBalancer: LoadBalancer,
  wish: Wish,
  first: StoredState | undefined,
): Promise<void> {
  let stored = first;
  for (let look = 1; ; look += 1) {
    try {
      return await take(deps, input, loadBalancer, wish, stored);
    } catch (error) {
      if (!(error instanceof StateLostError) || look === LOOKS) throw error;
      stored = await readState(deps.ssm, input.loadBalancerName);
      if (stored !== undefined) await requireFree(deps, input.loadBalancerName, stored, input);
    }
  }
}

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
    before: isSettled ? Object.fromEntries(policies.byPort) : previous.before,
    parameters: execution.parameters,
    ...(previous?.settled === undefined ? {} : { settled: previous.settled }),
    ...displacedBy(previous),
  };
  if (stored !== undefined) await writeState(ssm, input.loadBalancerName, stored, state);
  else if (!(await createState(ssm, input.loadBalancerName, state))) {
    throw new StateLostError(input.loadBalancerName, input.executionId, undefined);
  }
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
  await undo(deps, { loadBalancerName, executionId });
  throw new StateLostError(loadBalancerName, executionId, undefined);
}

/** What was wanted last, and is until this run changes something: the drift check goes by it. */
function displacedBy(previous: SwitchState | undefined): Pick<SwitchState, 'displaced'> {
  if (previous?.phase === 'done') return { displaced: previous };
  return previous?.displaced === undefined ? {} : { displaced: previous.displaced };
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
