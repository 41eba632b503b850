/**
 * What the machines' nginx say of the requests that the clients sent.
 *
 * The plain listener's answer is a redirect by nginx itself: no application tells which address it saw. But the access log has
 * it, and the request's `rid`. The same join shows which failed requests no machine ever logged: with a strict receiver and
 * a load balancer that does not yet send the line, that is all of them, which is why nobody sees that outage.
 */
import { BEHIND_AN_ALB, judgeAddress, type ReceiverMode, type SeenAddress } from './client-address.ts';
import type { AddressCounts, FailureCounts } from './counts.ts';
import type { FailureKind } from './exchange.ts';
import type { RequestRecord } from './request-record.ts';

/** What is used of one line of nginx's access log, which is a JSON object a line. */
interface AccessLogLine {
  /** Told to the application; empty where it is told none. */
  readonly client?: string;
  /** From a PROXY line that is not believed; empty or `-` where there is none. */
  readonly claimed?: string;
  readonly trust?: string;
  readonly request?: string;
  readonly status?: number | string;
}

export type SentRequest = Pick<
  RequestRecord,
  'rid' | 'stream' | 'listener' | 'source' | 'target' | 'openedPhase' | 'startedPhase' | 'endedPhase' | 'outcome'
>;

export interface LoggedCounts {
  /** Answered, and in a log. */
  answered: number;
  /** Answered, and in no log: must be 0, or logs are missing. */
  answeredUnlogged: number;
  /** Failed; without the forged ones, which may be refused. A request that was answered 400 because of a PROXY line before it is
   * logged as that line and so counts as unlogged here: see `proxyLinesAsRequests`. */
  failedLogged: number;
  failedUnlogged: number;
  failedUnloggedByKind: FailureCounts;
}

export interface AccessLogVerification extends LoggedCounts {
  /** Of the requests on the plain listener alone: what the TLS listener's were told, the application has already said. */
  readonly clientAddress: AddressCounts;
  /** Claimed addresses that were logged (never told on): those that are the client's own, and others (forged ones). */
  readonly claimed: { own: number; other: number };
  readonly phases: readonly (LoggedCounts & { readonly name: string; readonly clientAddress: AddressCounts })[];
  /** Lines whose request begins with `PROXY `: a plain receiver that was sent a PROXY line, answered 400. */
  readonly proxyLinesAsRequests: number;
  /** Lines that are not JSON. */
  readonly unreadable: number;
  /** The first few wrong or unverified addresses, in words. */
  readonly examples: readonly string[];
}

/**
 * @param sent      as the worker recorded them (`readRecords`)
 * @param logLines  of all machines together, in any order; lines of requests that are not in `sent` are passed over
 * @param run       `nodes`: every address that is a Classic Load Balancer's; `phases`: of the run, in order
 */
export async function verifyByAccessLog(
  sent: AsyncIterable<SentRequest> | Iterable<SentRequest>,
  logLines: AsyncIterable<string> | Iterable<string>,
  run: {
    readonly nodes: Iterable<string>;
    /** Application Load Balancers, which answer with the redirect themselves. */
    readonly albs?: Iterable<string>;
    readonly phases: readonly { readonly name: string; readonly modes: readonly ReceiverMode[] }[];
  },
): Promise<AccessLogVerification> {
  const nodes = new Set(run.nodes);
  const albs = new Set(run.albs);
  const told = new Map<string, Told>();
  const known = new Map<string, Told>();
  let proxyLinesAsRequests = 0;
  let unreadable = 0;
  for await (const text of logLines) {
    if (text.trim() === '') continue;
    const line = parseLine(text);
    if (line === undefined) unreadable += 1;
    else if (line.request?.startsWith('PROXY ')) proxyLinesAsRequests += 1;
    else {
      const rid = /[?&]rid=([\w-]+)/.exec(line.request ?? '')?.[1];
      if (rid !== undefined) told.set(rid, toldBy(line, known));
    }
  }

  const total = { ...loggedCounts(), clientAddress: { correct: 0, wrong: 0, unverified: 0 } };
  const phases = run.phases.map(({ name }) => ({
    name,
    ...loggedCounts(),
    clientAddress: { correct: 0, wrong: 0, unverified: 0 },
  }));
  const claimed = { own: 0, other: 0 };
  const examples: string[] = [];

  for await (const request of sent) {
    const line = told.get(request.rid);
    const isBehindAlb = albs.has(request.target);
    if (isBehindAlb && line === undefined && request.listener === 'plain' && request.outcome === 'ok') continue;
    const phase = phases[request.startedPhase];
    if (phase === undefined) throw new RangeError(`request ${request.rid} names phase ${request.startedPhase}`);
    for (const counts of [total, phase]) countLogged(counts, request, line !== undefined);
    if (line === undefined) continue;

    if (line.claimed !== null) claimed[line.claimed === request.source ? 'own' : 'other'] += 1;
    if (request.listener !== 'plain' || request.outcome !== 'ok') continue;
    const modes = run.phases.slice(request.openedPhase, request.endedPhase + 1).flatMap((each) => each.modes);
    const { seen } = line;
    const judgement = judgeAddress(seen, request.source, nodes, isBehindAlb ? BEHIND_AN_ALB : new Set(modes));
    total.clientAddress[judgement] += 1;
    phase.clientAddress[judgement] += 1;
    if (judgement !== 'correct' && examples.length < 10) {
      examples.push(`${request.rid} from ${request.source} in ${phase.name}: ${judgement}: ${JSON.stringify(seen)}`);
    }
  }
  return { ...total, claimed, phases, proxyLinesAsRequests, unreadable, examples };
}

function countLogged(counts: LoggedCounts, request: SentRequest, isLogged: boolean): void {
  if (request.outcome === 'ok') {
    counts[isLogged ? 'answered' : 'answeredUnlogged'] += 1;
    return;
  }
  if (request.outcome === 'retried' || request.stream === 'forged') return;
  if (isLogged) counts.failedLogged += 1;
  else {
    const kind: FailureKind = request.outcome;
    counts.failedUnlogged += 1;
    counts.failedUnloggedByKind[kind] = (counts.failedUnloggedByKind[kind] ?? 0) + 1;
  }
}

function loggedCounts(): LoggedCounts {
  return { answered: 0, answeredUnlogged: 0, failedLogged: 0, failedUnlogged: 0, failedUnloggedByKind: {} };
}

/** What a line says of the client. */
interface Told {
  readonly claimed: string | null;
  readonly seen: SeenAddress;
}

/** One object for all lines that say the same: an hour has some million of them, of some hundred kinds. */
function toldBy({ client, claimed, trust }: AccessLogLine, known: Map<string, Told>): Told {
  const key = `${client} ${claimed} ${trust}`;
  const told = known.get(key) ?? {
    claimed: present(claimed),
    seen: { address: present(client), trusted: trust === 'yes' },
  };
  known.set(key, told);
  return told;
}

/** nginx writes `-` or nothing for a variable without a value. */
function present(value: string | undefined): string | null {
  return value === undefined || value === '' || value === '-' ? null : value;
}

function parseLine(text: string): AccessLogLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as AccessLogLine) : undefined;
  } catch {
    return undefined;
  }
}
