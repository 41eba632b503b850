/**
 * Mends drift by the switch runbook: one load balancer at a time, each to its end, and nothing twice that somebody undoes.
 *
 * A run takes longer than an invocation may last, and so may the turn before it. The function then sends itself an event and goes on in the
 * next invocation.
 */
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import {
  GetParameterCommand,
  PutParameterCommand,
  type SSMClient,
  StartAutomationExecutionCommand,
} from '@aws-sdk/client-ssm';
import type { Context } from 'aws-lambda';
import type { Kind } from '../drift-check/kinds.ts';
import { memoryName, parseMemory } from '../drift-check/memory.ts';
import { switchParameters } from '../drift-check/mend.ts';
import { putEvent } from '../drift-check/put-event.ts';
import { foughtOver, parseRecord, recordName, runsFor } from '../drift-check/remediation-record.ts';
import { inOneLine } from '../drift-check/words.ts';
import { describeFailure, getExecution, isRunning } from '../proxy-protocol/execution.ts';
import type { Clock } from '../shared/clock.ts';
import { ProxyflipError, serviceErrorName } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { executionHasEnded, readState } from '../shared/switch-state.ts';
import { GOES_ON, type Job, parseJob } from './job.ts';
import { endTurn, keepTurn, takeTurn } from './turn.ts';

export interface Deps {
  readonly ssm: SSMClient;
  readonly events: EventBridgeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly switchDocument: string;
}

const POLL_MS = 5_000;
/** What is left of an invocation when it hands on. */
const HAND_ON_MS = 60_000;
/** Of a quarter of an hour each: a run and the turns before it end sooner, or something else is wrong. */
const MAX_HOPS = 24;

export function createHandler(deps: Deps) {
  return async (event: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>): Promise<Outcome> => {
    const endsAt = deps.clock.now() + context.getRemainingTimeInMillis() - HAND_ON_MS;
    const outcome = await mend(deps, parseJob(event), endsAt);
    deps.log('remediation', { ...outcome });
    return outcome;
  };
}

export interface Outcome {
  readonly loadBalancer: string;
  readonly outcome: 'mended' | 'failed' | 'left alone' | 'nothing to do' | 'goes on';
  readonly kinds: readonly Kind[];
  readonly executionId: string;
  readonly summary: string;
}

async function mend(deps: Deps, job: Job, endsAt: number): Promise<Outcome> {
  const { ssm, clock } = deps;
  if (job.kinds.length === 0) return outcomeOf(job, 'nothing to do', 'No finding is of a kind that the runbook mends.');
  let { executionId } = job;
  while (executionId === undefined) {
    if (clock.now() >= endsAt) return goOn(deps, job);
    if (!(await takeTurn(ssm, clock, job.loadBalancer))) {
      await clock.sleep(POLL_MS);
      continue;
    }
    const begun = await begin(deps, job).catch(async (error: unknown) => {
      await endTurn(ssm);
      throw error;
    });
    if (typeof begun !== 'string') {
      await endTurn(ssm);
      return begun;
    }
    executionId = begun;
  }
  return waitFor(deps, { ...job, executionId }, endsAt);
}

/** @returns the run's execution id, or why there is none */
async function begin(deps: Deps, job: Job): Promise<string | Outcome> {
  const { ssm, clock } = deps;
  const { loadBalancer, kinds, foundAt } = job;
  const [remembered, record, stored] = await Promise.all([
    readText(ssm, memoryName(loadBalancer)).then(parseMemory),
    readText(ssm, recordName(loadBalancer)).then((text) => parseRecord(text, clock.now())),
    readState(ssm, loadBalancer),
  ]);
  // The check tells first and remembers then: what is older than the event is the memory of before.
  const memory =
    remembered !== undefined && remembered.at >= foundAt ? remembered : { status: 'MODIFIED', at: foundAt };
  if (memory.status !== 'MODIFIED' || stored === undefined) {
    return outcomeOf(job, 'nothing to do', `${loadBalancer} is not out of sync any more.`);
  }
  // An event may come twice, and waits for its turn: what was mended since it was sent is not mended again.
  if (record.runs.some(({ at }) => Date.parse(at) >= Date.parse(memory.at))) {
    return outcomeOf(
      job,
      'nothing to do',
      `${loadBalancer} was mended after this was found; the next check says how it is.`,
    );
  }
  if (!(await executionHasEnded(ssm, stored.state.executionId))) {
    return outcomeOf(
      job,
      'nothing to do',
      `Execution ${stored.state.executionId} is at work on ${loadBalancer} already.`,
    );
  }
  const undone = foughtOver(record, kinds);
  if (undone.length > 0) {
    const outcome = outcomeOf(
      job,
      'left alone',
      `${undone.join(', ')} at ${loadBalancer} was mended ${runsFor(record, undone).length} times within a day and is there again: somebody undoes it. It is left alone; proxyflip's finding fought-over names who, where that shows.`,
    );
    await tell(deps, outcome);
    return outcome;
  }
  const { AutomationExecutionId: executionId = '' } = await ssm.send(
    new StartAutomationExecutionCommand({
      DocumentName: deps.switchDocument,
      Parameters: { ...switchParameters(loadBalancer, stored.state), StartedBy: ['proxyflip drift remediation'] },
    }),
  );
  await keepTurn(ssm, clock, loadBalancer, executionId);
  const at = new Date(clock.now()).toISOString();
  await ssm.send(
    new PutParameterCommand({
      Name: recordName(loadBalancer),
      Value: JSON.stringify({ version: 1, runs: [...record.runs, { at, executionId, kinds }] }),
      Type: 'String',
      Overwrite: true,
    }),
  );
  await tell(deps, {
    loadBalancer,
    outcome: 'started',
    kinds,
    executionId,
    summary: `${kinds.join(', ')} at ${loadBalancer} is being mended by execution ${executionId}.`,
  });
  return executionId;
}

async function waitFor(deps: Deps, job: Job & { readonly executionId: string }, endsAt: number): Promise<Outcome> {
  const { ssm, clock } = deps;
  for (;;) {
    const execution = await getExecution(ssm, job.executionId);
    if (!isRunning(execution)) {
      await endTurn(ssm);
      const isMended = execution?.AutomationExecutionStatus === 'Success';
      const outcome = isMended
        ? outcomeOf(
            job,
            'mended',
            `Execution ${job.executionId} has mended ${job.kinds.join(', ')} at ${job.loadBalancer}.`,
          )
        : outcomeOf(
            job,
            'failed',
            execution === undefined
              ? `Execution ${job.executionId} is not known any more.`
              : describeFailure(execution),
          );
      await tell(deps, outcome);
      // Whether it is so is the check's to say, and people hear it from there.
      await putEvent(deps.events, 'proxyflip check', { loadBalancerName: job.loadBalancer });
      return outcome;
    }
    if (clock.now() >= endsAt) return goOn(deps, job);
    await clock.sleep(POLL_MS);
  }
}

async function goOn({ events }: Deps, job: Job): Promise<Outcome> {
  if (job.hop >= MAX_HOPS) {
    throw new ProxyflipError(
      'ERR_OUT_OF_TIME',
      `remediation of ${job.loadBalancer} has waited for ${MAX_HOPS} invocations. Look at the execution ${job.executionId ?? 'that has the turn (/proxyflip/drift/remediating)'} in Systems Manager under Automation.`,
    );
  }
  await putEvent(events, GOES_ON, { ...job, hop: job.hop + 1 });
  return outcomeOf(job, 'goes on', 'This invocation has come to its end; the next one goes on.');
}

const tell = ({ events }: Deps, outcome: Omit<Outcome, 'outcome'> & { readonly outcome: string }): Promise<void> =>
  putEvent(events, 'proxyflip remediation', { ...outcome, summary: inOneLine(outcome.summary) });

const outcomeOf = (
  { loadBalancer, kinds, executionId = '' }: Job,
  outcome: Outcome['outcome'],
  summary: string,
): Outcome => ({ loadBalancer, outcome, kinds, executionId, summary });

async function readText(ssm: SSMClient, Name: string): Promise<string | undefined> {
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
    return Parameter?.Value;
  } catch (error) {
    if (serviceErrorName(error) === 'ParameterNotFound') return undefined;
    throw error;
  }
}
