/**
 * Whose turn it is: `/proxyflip/drift/remediating`. One load balancer is mended at a time, so that what is wrong with a mend is seen on one.
 *
 * A courtesy, not what keeps runs apart: that is the state parameter of each load balancer.
 */
import { DeleteParameterCommand, GetParameterCommand, PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { Clock } from '../shared/clock.ts';
import { serviceErrorName } from '../shared/errors.ts';
import { executionHasEnded } from '../shared/switch-state.ts';

const NAME = '/proxyflip/drift/remediating';

interface Turn {
  readonly loadBalancer: string;
  /** Absent between taking the turn and starting the run. */
  readonly executionId?: string;
  /** ISO 8601. */
  readonly at: string;
}

/** Starting a run takes seconds; a turn without one for so long is a function's that died. */
const STARTING_MS = 5 * 60_000;

/** @returns whether the turn is this load balancer's now */
export async function takeTurn(ssm: SSMClient, clock: Clock, loadBalancer: string): Promise<boolean> {
  if (await create(ssm, clock, loadBalancer)) return true;
  const holder = await read(ssm);
  if (holder === undefined) return create(ssm, clock, loadBalancer);
  const isOver =
    holder.executionId === undefined
      ? clock.now() - Date.parse(holder.at) > STARTING_MS
      : await executionHasEnded(ssm, holder.executionId);
  if (!isOver) return false;
  await endTurn(ssm);
  return create(ssm, clock, loadBalancer);
}

/** Says which run the turn lasts for. */
export async function keepTurn(ssm: SSMClient, clock: Clock, loadBalancer: string, executionId: string): Promise<void> {
  await put(ssm, { loadBalancer, executionId, at: new Date(clock.now()).toISOString() }, true);
}

export async function endTurn(ssm: SSMClient): Promise<void> {
  try {
    await ssm.send(new DeleteParameterCommand({ Name: NAME }));
  } catch (error) {
    if (serviceErrorName(error) !== 'ParameterNotFound') throw error;
  }
}

async function create(ssm: SSMClient, clock: Clock, loadBalancer: string): Promise<boolean> {
  try {
    await put(ssm, { loadBalancer, at: new Date(clock.now()).toISOString() }, false);
    return true;
  } catch (error) {
    if (serviceErrorName(error) === 'ParameterAlreadyExists') return false;
    throw error;
  }
}

async function read(ssm: SSMClient): Promise<Turn | undefined> {
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: NAME }));
    return JSON.parse(Parameter?.Value ?? '') as Turn;
  } catch (error) {
    if (serviceErrorName(error) === 'ParameterNotFound') return undefined;
    throw error;
  }
}

async function put(ssm: SSMClient, turn: Turn, Overwrite: boolean): Promise<void> {
  await ssm.send(new PutParameterCommand({ Name: NAME, Value: JSON.stringify(turn), Type: 'String', Overwrite }));
}
