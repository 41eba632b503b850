/**
 * The check: read the account, compare stretch by stretch, tell what has changed. What does not fit into one invocation goes on in the next
 * one, from the name at which this one stopped.
 */
import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { LoadBalancerNotFoundError } from '../load-balancer/classic-elb.ts';
import { messageOf } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { readLoadBalancers, readParameters } from './account.ts';
import { type Account, type CheckDeps, type Checked, checkLoadBalancers, instancesOf } from './check.ts';
import { type CheckEvent, type Continuation, parseEvent } from './event.ts';
import { isThrottled } from './failures.ts';
import type { CheckAnswer, LoadBalancerResult } from './finding.ts';
import { rememberedNames } from './memory.ts';
import { loadBalancerMetrics, runMetrics } from './metrics.ts';
import { goOn, LAST_RUN, rememberRun, type TellDeps, tellChanges } from './tell.ts';
import { add, NOTHING } from './totals.ts';
import { reportOf, summarise, worstStatus } from './words.ts';

export interface Deps extends CheckDeps, TellDeps {
  readonly log: Log;
  /** Writes a line to standard output as it is. */
  readonly print: (line: string) => void;
  /** How often each API was called since it was last asked. */
  readonly takeCalls: () => Readonly<Record<string, number>>;
  readonly stackName: string;
}

/** A stretch takes this long at most: its calls at the function's own rate, and its slowest instance. Unit: milliseconds. */
const STRETCH_MS = 240_000;
const STRETCH = { loadBalancers: 250, instances: 2_500 } as const;

/** Each goes on where the last one stopped; more than this is something else than a long list. */
const MAX_HOPS = 20;

/** Up to here each load balancer has metrics of its own in every run; of more, those that have something to say. */
const WITH_METRICS = 50;

export function createHandler(deps: Deps) {
  return async (event: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>): Promise<object> => {
    const asked = parseEvent(event);
    const endsAt =
      deps.clock.now() + Math.min(context.getRemainingTimeInMillis(), asked.withinMs ?? Number.POSITIVE_INFINITY);
    const answer = await run(deps, asked, endsAt);
    deps.log('checked', { status: answer.status, summary: answer.summary, calls: deps.takeCalls() });
    // What the runbook selects, found at `$.Payload` for the reason that functions/load-balancer/handler.ts gives.
    const { status, summary, report } = answer;
    return { ...answer, Payload: { status, summary, report } };
  };
}

async function run(deps: Deps, asked: CheckEvent, endsAt: number): Promise<CheckAnswer> {
  const { clock, log } = deps;
  const account = await readAccount(deps);
  const begun: Continuation = asked.continuation ?? {
    runId: randomUUID(),
    startedAt: new Date(clock.now()).toISOString(),
    after: '',
    hop: 0,
    totals: NOTHING,
  };
  const inScope = namesInScope(account, asked.loadBalancerName);
  let left = inScope.filter((name) => name > begun.after);
  let { totals, after } = begun;
  const results: LoadBalancerResult[] = [];
  log('check', { runId: begun.runId, hop: begun.hop, inScope: inScope.length, left: left.length });

  while (left.length > 0 && endsAt - clock.now() > STRETCH_MS) {
    const stretch = takeStretch(account, left);
    let checked: Checked[];
    try {
      checked = await checkLoadBalancers(deps, account, stretch);
    } catch (error) {
      if (!isThrottled(error) || asked.loadBalancerName !== undefined) throw error;
      log('throttled', { after, error: messageOf(error) });
      break;
    }
    await tellChanges(deps, checked);
    note(deps, inScope.length, checked);
    totals = add(totals, checked);
    results.push(...checked.map(({ result }) => result));
    after = stretch.at(-1) ?? after;
    left = left.slice(stretch.length);
  }

  if (left.length > 0 && asked.loadBalancerName === undefined && begun.hop < MAX_HOPS) {
    await goOn(deps.events, { ...begun, after, hop: begun.hop + 1, totals });
    const place = after === '' ? 'from the first' : `behind ${after}`;
    return partOf(results, `${left.length} left to be checked: the check goes on by itself, ${place}.`);
  }
  const leftOut = left.map(
    (name): LoadBalancerResult => ({
      name,
      status: 'NOT_CHECKED',
      findings: [],
      suppressed: 0,
      why: 'neither time nor the API’s limits allowed it',
    }),
  );
  results.push(...leftOut);
  if (asked.loadBalancerName === undefined) {
    totals = { ...totals, notChecked: totals.notChecked + leftOut.length };
    deps.print(runMetrics(clock.now(), deps.stackName, inScope.length, totals));
    await rememberRun(deps.ssm, Date.parse(begun.startedAt));
  }
  return answerOf(results);
}

/** A first run has nobody to ask from when on. */
const FIRST_LOOK_BACK_MS = 15 * 60_000;
const LOOK_BACK_AT_MOST_MS = 24 * 60 * 60_000;

async function readAccount({ elb, ssm, clock }: Deps): Promise<Account> {
  const [below, memory, loadBalancers] = await Promise.all([
    readParameters(ssm, '/proxyflip', false),
    readParameters(ssm, '/proxyflip/drift', true),
    readLoadBalancers(elb),
  ]);
  const registrations = new Map<string, string[]>();
  for (const [name, description] of loadBalancers) {
    for (const id of instancesOf(description)) registrations.set(id, [...(registrations.get(id) ?? []), name]);
  }
  const states = new Map([...below].map(([name, value]) => [name.slice('/proxyflip/'.length), value]));
  const now = clock.now();
  const last = Date.parse(String(/"at":"([^"]+)"/.exec(memory.get(LAST_RUN) ?? '')?.[1])) || now - FIRST_LOOK_BACK_MS;
  return { states, loadBalancers, registrations, memory, lastRun: Math.max(last, now - LOOK_BACK_AT_MOST_MS) };
}

/** @throws LoadBalancerNotFoundError  it is neither there nor remembered */
function namesInScope(account: Account, name: string | undefined): string[] {
  const remembered = rememberedNames(account.memory);
  if (name === undefined) return [...new Set([...account.states.keys(), ...remembered])].sort();
  if (!account.states.has(name) && !account.loadBalancers.has(name) && !remembered.includes(name)) {
    throw new LoadBalancerNotFoundError(name);
  }
  return [name];
}

/** The next names, by what one stretch holds; one at least. */
function takeStretch(account: Account, names: readonly string[]): string[] {
  let instances = 0;
  const end = names.slice(0, STRETCH.loadBalancers).findIndex((name, index) => {
    instances += account.loadBalancers.get(name)?.Instances?.length ?? 0;
    return index > 0 && instances > STRETCH.instances;
  });
  return names.slice(0, end === -1 ? STRETCH.loadBalancers : end);
}

function note({ clock, log, print, stackName }: Deps, inScope: number, checked: readonly Checked[]): void {
  for (const { result, change } of checked) {
    const { name, status, findings, suppressed, why } = result;
    if (inScope <= WITH_METRICS || findings.length > 0 || change !== undefined) {
      print(loadBalancerMetrics(clock.now(), stackName, result));
    }
    if (why !== '') log('not checked', { loadBalancer: name, status, why });
    if (suppressed > 0) log('suppressed', { loadBalancer: name, suppressed });
    for (const finding of findings) log('finding', { loadBalancer: name, ...finding });
  }
}

function answerOf(loadBalancers: readonly LoadBalancerResult[]): CheckAnswer {
  return {
    status: worstStatus(loadBalancers),
    loadBalancers,
    summary: summarise(loadBalancers),
    report: reportOf(loadBalancers),
  };
}

/** Of an invocation that was not enough: nothing is known of what is left. */
function partOf(loadBalancers: readonly LoadBalancerResult[], goesOn: string): CheckAnswer {
  const answer = answerOf(loadBalancers);
  return {
    ...answer,
    status: worstStatus([...loadBalancers, { status: 'NOT_CHECKED' }]),
    summary: loadBalancers.length === 0 ? goesOn : `${answer.summary} ${goesOn}`,
  };
}
