/**
 * One stretch of a check: some load balancers, from reading to results. Nothing is written here.
 *
 * What a switch is working on is not looked at; and since one may begin while the check reads, every load balancer at which something was
 * found is looked at once more before that is told.
 */
import type {
  ElasticLoadBalancingClient,
  LoadBalancerDescription,
  PolicyDescription,
} from '@aws-sdk/client-elastic-load-balancing';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { Clock } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import { executionHasEnded, parseState, readState, type SwitchState } from '../shared/switch-state.ts';
import { readHealth, readPolicies, readTags } from './account.ts';
import { askReceivers } from './ask-receivers.ts';
import { compare } from './compare.ts';
import { compareDeleted } from './compare-switch.ts';
import { TRAFFIC_KINDS } from './compare-traffic.ts';
import { expectedOf } from './expected.ts';
import { isThrottled } from './failures.ts';
import type { LoadBalancerResult, Status } from './finding.ts';
import { type Change, hasKind, type Memory, memoryName, parseMemory, recall } from './memory.ts';
import { observe, policyNamesOf } from './observed.ts';
import type { Receiver } from './receiver.ts';
import { fights, parseRecord, recordName } from './remediation-record.ts';
import { type Draft, isKnown, type PlainNeighbour, type Rules, type Situation, type Unreachable } from './situation.ts';
import { suppress, suppressionsName } from './suppressions.ts';

export interface CheckDeps {
  readonly elb: ElasticLoadBalancingClient;
  readonly ssm: SSMClient;
  readonly clock: Clock;
  readonly inspectDocument: string;
  readonly switchDocument: string;
  readonly bothSeconds: number;
}

/** The account as it was read at the beginning of a run. */
export interface Account {
  /** Load balancer → value of its state parameter. */
  readonly states: ReadonlyMap<string, string>;
  readonly loadBalancers: ReadonlyMap<string, LoadBalancerDescription>;
  /** Instance id → names of the load balancers that it is registered with. */
  readonly registrations: ReadonlyMap<string, readonly string[]>;
  /** Parameters below /proxyflip/drift. */
  readonly memory: ReadonlyMap<string, string>;
  /** Milliseconds since the epoch: the last complete run, from where the receivers' logs are read. */
  readonly lastRun: number;
}

export interface Checked {
  readonly result: LoadBalancerResult;
  /** undefined = nothing has changed. */
  readonly change: Change | undefined;
  /** Registered instances that could not be asked. */
  readonly unreachable: number;
}

/** A load balancer before its instances are asked. */
interface Subject {
  readonly name: string;
  readonly state: SwitchState;
  readonly description: LoadBalancerDescription;
}

export async function checkLoadBalancers(
  deps: CheckDeps,
  account: Account,
  names: readonly string[],
): Promise<Checked[]> {
  const sorted = await Promise.all(names.map((name) => sortOut(deps, account, name)));
  const subjects = sorted.flatMap((each) => ('description' in each ? [each] : []));
  const [tags, policies, receivers] = await Promise.all([
    readTags(
      deps.elb,
      subjects.map(({ name }) => name),
    ),
    Promise.all(subjects.map(async ({ name }) => [name, await readPolicies(deps.elb, name)] as const)).then(
      (entries) => new Map(entries),
    ),
    askReceivers({ ...deps, documentName: deps.inspectDocument, since: Math.floor(account.lastRun / 1000) }, [
      ...new Set(subjects.flatMap(({ description }) => instancesOf(description))),
    ]),
  ]);
  return Promise.all(
    sorted.map(async (each) => {
      if (!('description' in each)) return each;
      try {
        return await judge(deps, account, each, {
          policies: policies.get(each.name),
          tags: tags.get(each.name) ?? new Map(),
          receivers: pick(receivers, instancesOf(each.description)),
        });
      } catch (error) {
        // One load balancer that cannot be judged does not keep the others from it.
        if (isThrottled(error)) throw error;
        return notLookedAt(each.name, 'UNKNOWN', messageOf(error));
      }
    }),
  );
}

/** What needs no look at the load balancer, or cannot have one, is answered at once. */
async function sortOut(deps: CheckDeps, account: Account, name: string): Promise<Subject | Checked> {
  const text = account.states.get(name);
  if (text === undefined) {
    // Switched off by its owner, or forgotten, since it was found to differ: people are told that this is over.
    const isOver = (memoryOf(account, name)?.status ?? 'IN_SYNC') !== 'IN_SYNC';
    return isOver
      ? settle(deps, account, name, undefined, [], 0)
      : notLookedAt(name, 'NOT_CHECKED', 'proxyflip has not switched it');
  }
  let state: SwitchState;
  try {
    state = parseState(name, text);
  } catch (error) {
    return notLookedAt(name, 'UNKNOWN', messageOf(error));
  }
  // `undone` is written before the receivers have been taken back.
  if (state.phase !== 'done' && !(await executionHasEnded(deps.ssm, state.executionId))) {
    return notLookedAt(name, 'NOT_CHECKED', `execution ${state.executionId} is working on it (${state.direction})`);
  }
  const description = account.loadBalancers.get(name);
  if (description !== undefined) return { name, state, description };
  return settle(deps, account, name, 'DELETED', [compareDeleted(name, state, rulesFor(deps, account, name))], 0);
}

/** What was read of one load balancer for the comparison. */
interface Material {
  /** undefined = it was deleted meanwhile. */
  readonly policies: readonly PolicyDescription[] | undefined;
  readonly tags: ReadonlyMap<string, string>;
  readonly receivers: Situation['receivers'];
}

async function judge(deps: CheckDeps, account: Account, subject: Subject, material: Material): Promise<Checked> {
  const { name, state, description } = subject;
  const { policies, tags, receivers } = material;
  if (policies === undefined) return notLookedAt(name, 'NOT_CHECKED', 'it was deleted during the check');
  const situation: Situation = {
    state,
    expected: expectedOf(state),
    loadBalancer: observe(description, policies, tags),
    receivers,
    outOfService: new Set(),
    neighbours: await plainNeighbours(deps, account, subject),
  };
  const rules = rulesFor(deps, account, name);
  let drafts = compare(situation, rules);
  if (drafts.length > 0) {
    const now = await readState(deps.ssm, name);
    if (now === undefined || JSON.stringify(now.state) !== JSON.stringify(state)) {
      return notLookedAt(name, 'NOT_CHECKED', 'a switch was at work on it during the check');
    }
    drafts = compare(await lookCloser(deps, situation, drafts), rules);
  }
  const record = parseRecord(account.memory.get(recordName(name)), rules.now);
  const fight = fights(record, drafts, situation.loadBalancer);
  const unreachable = [...receivers.values()].filter((each) => !isKnown(each)).length;
  return settle(deps, account, name, undefined, [...drafts, ...fight], unreachable);
}

/** Whether an instance serves anybody now decides what its state means; asked for where one has something to be asked about. */
async function lookCloser(deps: CheckDeps, situation: Situation, drafts: readonly Draft[]): Promise<Situation> {
  const { receivers, loadBalancer } = situation;
  if (!drafts.some(({ where }) => receivers.has(where))) return situation;
  const { outOfService, joining } = await readHealth(deps.elb, loadBalancer.name);
  return {
    ...situation,
    outOfService,
    // What is being launched is not asked to be ready.
    receivers: pick(
      receivers,
      [...receivers.keys()].filter((id) => !joining.has(id)),
    ),
  };
}

function settle(
  { clock }: CheckDeps,
  account: Account,
  name: string,
  given: Status | undefined,
  drafts: readonly Draft[],
  unreachable: number,
): Checked {
  const now = clock.now();
  const { told, suppressed } = suppress(name, drafts, account.memory.get(suppressionsName(name)), now);
  const status = told.length === 0 ? 'IN_SYNC' : (given ?? statusOf(told));
  const { findings, change } = recall(memoryOf(account, name), status, told, now);
  return { result: { name, status, findings, suppressed, why: '' }, change, unreachable };
}

const statusOf = (drafts: readonly Draft[]): Status =>
  drafts.every(({ kind }) => kind === 'receiver-unreachable') ? 'UNKNOWN' : 'MODIFIED';

/** Memory stays as it is: what was not seen has not changed. */
const notLookedAt = (name: string, status: Status, why: string): Checked => ({
  result: { name, status, findings: [], suppressed: 0, why },
  change: undefined,
  unreachable: 0,
});

const memoryOf = (account: Account, name: string): Memory | undefined =>
  parseMemory(account.memory.get(memoryName(name)));

/** How long a node may take to follow a change (its own figure is not published; ELB's own for other settings is 30 s). */
const FOLLOW_MS = 60_000;

function rulesFor({ clock, bothSeconds, switchDocument }: CheckDeps, account: Account, name: string): Rules {
  const now = clock.now();
  return { now, bothSeconds, switchDocument, logsSince: logsSince(memoryOf(account, name), account.lastRun, now) };
}

function logsSince(memory: Memory | undefined, lastRun: number, now: number): number {
  // What the logs themselves had shown goes on until they do not: nothing else had failed, or it had not been told.
  if (memory === undefined || hasKind(memory, TRAFFIC_KINDS)) return lastRun;
  // While something failed, what was dropped is explained by it; and a little longer, until every node has followed the mend.
  if (memory.worst === 'EVERY_REQUEST_FAILS' || memory.worst === 'SOME_REQUESTS_FAIL') return now;
  return Math.max(lastRun, Date.parse(memory.at) + FOLLOW_MS);
}

/**
 * Other load balancers with an instance and an instance port of this one, that write no PROXY line there. One without any policy on the port
 * needs no further question.
 */
async function plainNeighbours({ elb }: CheckDeps, account: Account, subject: Subject): Promise<PlainNeighbour[]> {
  const { ports, policy } = expectedOf(subject.state);
  if (policy === 'off') return [];
  const shared = new Map<string, string[]>();
  for (const id of instancesOf(subject.description)) {
    for (const name of account.registrations.get(id) ?? []) {
      if (name !== subject.name) shared.set(name, [...(shared.get(name) ?? []), id]);
    }
  }
  const found: PlainNeighbour[] = [];
  for (const [name, instanceIds] of shared) {
    const other = account.loadBalancers.get(name) ?? {};
    const fed = (other.ListenerDescriptions ?? []).map(({ Listener }) => Listener?.InstancePort);
    const both = ports.map(({ port }) => port).filter((port) => fed.includes(port));
    const lists = policyNamesOf(other);
    const policies = both.some((port) => lists.has(port)) ? await readPolicies(elb, name) : [];
    // It was deleted since it was listed, and sends nothing any more.
    if (policies === undefined) continue;
    const { proxyPolicies } = observe(other, policies, new Map());
    for (const port of both) {
      if (!(lists.get(port) ?? []).some((each) => proxyPolicies.has(each))) found.push({ name, port, instanceIds });
    }
  }
  return found;
}

export const instancesOf = (description: LoadBalancerDescription): string[] =>
  (description.Instances ?? []).map((each) => each.InstanceId ?? '').sort();

const pick = (
  receivers: ReadonlyMap<string, Receiver | Unreachable>,
  ids: readonly string[],
): ReadonlyMap<string, Receiver | Unreachable> =>
  new Map(ids.map((id) => [id, receivers.get(id) ?? { unreachable: 'it was not asked' }]));
