/**
 * From what the receivers counted to a verdict. Pure.
 *
 * A node has a port's new policy when a connection of the new kind came from it later than any of the old kind. A port may be
 * made strict when, beyond that, no connection of the old kind came from any source for the quiet spell: not from a node, and
 * not from a target group, a monitor or a neighbour that calls the port directly and would be cut off silently.
 *
 * The other way round, a PROXY line proves nothing: any client can begin with one of its own, through a node that writes none, and
 * could keep a disable from its end for ever. Nor does it prove anything that connections without a line come from the same node: its
 * health checks have none, and those of an HTTP listener have none. What does is a request of the instances' own through the node: the
 * receiver answers it with the kind of the very connection that it came by, and nobody else has a hand in that. So where all of these,
 * through every node and all through a quiet spell, came without a line, the lines that still come from nodes count as their clients'
 * own, and the verdict says that this was assumed. Where they do not get through, nothing is assumed, and the receivers stay in `both`.
 *
 * Ages are counted on each instance from the moment it answered; instances of one command answer some seconds apart. The quiet
 * spell covers that: within it nothing of the old kind may have come at all.
 */
import type { Verdict } from '../shared/switch-state.ts';

export type Kind = 'plain' | 'proxy';

export interface Seen {
  readonly port: number;
  readonly source: string;
  readonly kind: Kind;
  readonly count: number;
  /** Since the last one. Unit: seconds. */
  readonly ageSeconds: number;
}

/** What one receiver counted since its HAProxy started; it cannot have seen what came before. */
export interface Measurement {
  readonly instanceId: string;
  readonly uptimeSeconds: number;
  /** The instance's own addresses: its own tests do not count. */
  readonly own: readonly string[];
  readonly seen: readonly Seen[];
  /** How many older entries did not fit into the answer. */
  readonly omitted: number;
  /** The instance's own requests through the nodes; those without an answer are not there. */
  readonly probes: readonly Probe[];
}

/** Requests of an instance's own through one listener of a node, each on a connection of its own. */
export interface Probe {
  readonly node: string;
  /** The instance port that the listener feeds. */
  readonly port: number;
  /** Those that were seen; never empty. */
  readonly kinds: readonly Kind[];
}

/** A node's listener that was probed, in the order of the runbook's `nodes`. */
export interface ProbedListener {
  readonly node: string;
  readonly instancePort: number;
}

export interface Question {
  /** Instance port → the kind that its policy, as read back, makes the load balancer send. */
  readonly wanted: ReadonlyMap<number, Kind>;
  /** Addresses of the load balancer's nodes. */
  readonly nodes: readonly string[];
  readonly measurements: readonly Measurement[];
  /** Registered instances that gave no measurement, each with the reason. */
  readonly unmeasured: readonly { readonly instanceId: string; readonly why: string }[];
  readonly quietSeconds: number;
  /** Instance ports to which nodes send connections of their own without a line: those prove nothing. */
  readonly plainAnyway: ReadonlySet<number>;
  /** How long every node has been seen to follow, see `isFollowed`; 0 = not at the last look. */
  readonly followedSeconds: number;
  /** Since measuring began. */
  readonly elapsedSeconds: number;
  readonly boundSeconds: number;
  /** After the bound, a node that nothing came from: believed, or the receivers stay in `both`. */
  readonly unmeasuredNode: 'Assume' | 'StayBoth';
}

export interface Judgement {
  readonly verdict: Verdict;
  /** What was seen. */
  readonly measured: string;
  /** What was only held for the bound; empty = nothing. */
  readonly assumed: string;
  /** What stands against being strict, with sources and counts; empty = nothing. */
  readonly remaining: string;
}

export function judge(question: Question): Judgement {
  const { nodes, wanted, elapsedSeconds, boundSeconds } = question;
  const isClientsOwn = ({ port, source }: { readonly port: number; readonly source: string }): boolean =>
    wanted.get(port) === 'plain' &&
    nodes.includes(source) &&
    question.unmeasuredNode === 'Assume' &&
    isFollowed(question) &&
    question.followedSeconds >= question.quietSeconds;
  const all = loudSources(question);
  const loud = all.filter((each) => !isClientsOwn(each));
  const blind = blindInstances(question);
  const unproven = unprovenNodes(question).filter(({ node, port }) => !isClientsOwn({ source: node, port }));
  const remaining = [...describeLoud(loud, nodes), ...blind];

  const proven = nodes.length * wanted.size - unproven.length;
  const measured = `${proven} of ${nodes.length * wanted.size} pairs of node and instance port seen to send the new kind, on ${question.measurements.length} instances; ${remaining.length === 0 ? `nothing of the old kind for ${question.quietSeconds} s` : 'the old kind is still seen'}`;
  const unknown =
    nodes.length === 0
      ? 'the addresses of the load balancer’s nodes are not known'
      : unproven.map(({ node, port }) => `node ${node} on instance port ${port}`).join(', ');

  if (remaining.length === 0 && unknown === '') return final();
  const waited = `${Math.round(elapsedSeconds)} of ${boundSeconds} s`;
  if (elapsedSeconds < boundSeconds) {
    const waitingFor = unknown === '' ? [] : [`no connection of the new kind yet, later than the old: ${unknown}`];
    return {
      verdict: 'wait',
      measured,
      assumed: '',
      remaining: `${[...remaining, ...waitingFor].join('; ')} (${waited})`,
    };
  }
  if (remaining.length > 0) return { verdict: 'both', measured, assumed: '', remaining: remaining.join('; ') };
  const silent = `nothing came from it in ${Math.round(elapsedSeconds)} s: ${unknown}`;
  if (question.unmeasuredNode === 'StayBoth') return { verdict: 'both', measured, assumed: '', remaining: silent };
  return final(`has the policy, though ${silent}`);

  /** What is still loud here is clients' own. */
  function final(...believed: string[]): Judgement {
    const assumed = [...believed, ...describeClientsOwn(all, question)].join('; ');
    return { verdict: 'final', measured, assumed, remaining: '' };
  }
}

interface Loud {
  readonly port: number;
  readonly source: string;
  readonly kind: Kind;
  readonly count: number;
  readonly ageSeconds: number;
}

/** Sources of the old kind within the quiet spell, over all instances: counts added up, the youngest age kept. */
function loudSources({ wanted, measurements, quietSeconds }: Question): Loud[] {
  const loud = new Map<string, Loud>();
  for (const { own, seen } of measurements) {
    for (const { port, source, kind, count, ageSeconds } of seen) {
      const wantedKind = wanted.get(port);
      if (wantedKind === undefined || kind === wantedKind || own.includes(source) || ageSeconds >= quietSeconds)
        continue;
      const key = `${port} ${source}`;
      const before = loud.get(key);
      loud.set(key, {
        port,
        source,
        kind,
        count: count + (before?.count ?? 0),
        ageSeconds: Math.min(ageSeconds, before?.ageSeconds ?? ageSeconds),
      });
    }
  }
  return [...loud.values()].sort((a, b) => a.ageSeconds - b.ageSeconds);
}

function describeLoud(loud: readonly Loud[], nodes: readonly string[]): string[] {
  return loud.map(
    ({ port, source, kind, count, ageSeconds }) =>
      `${nodes.includes(source) ? 'node' : 'not a node:'} ${source} sent ${count} ${kind} connections to instance port ${port}, the last ${ageSeconds.toFixed(1)} s ago`,
  );
}

function describeClientsOwn(lines: readonly Loud[], { followedSeconds }: Question): string[] {
  if (lines.length === 0) return [];
  const sources = lines.map(({ source, port, count }) => `${count} from ${source} to instance port ${port}`).join(', ');
  return [
    `PROXY lines that still come are clients’ own (${sources}), since every request of the instances’ own through every node has come without one for ${Math.round(followedSeconds)} s`,
  ];
}

/** At this look, every node follows as far as probes show it: on each port that is to get no line, all came without one. */
export const isFollowed = (question: Pick<Question, 'wanted' | 'nodes' | 'measurements'>): boolean =>
  question.nodes.every((node) =>
    [...question.wanted].every(([port, kind]) => kind !== 'plain' || isProbedPlain(question.measurements, node, port)),
  );

function isProbedPlain(measurements: readonly Measurement[], node: string, port: number): boolean {
  const kinds = measurements
    .flatMap(({ probes }) => probes.filter((each) => each.node === node && each.port === port))
    .flatMap((each) => each.kinds);
  return kinds.length > 0 && kinds.every((kind) => kind === 'plain');
}

/** Instances of which it cannot be said that the quiet spell was quiet. */
function blindInstances({ measurements, unmeasured, quietSeconds }: Question): string[] {
  const blind = unmeasured.map(({ instanceId, why }) => `${instanceId} could not be measured: ${why}`);
  for (const { instanceId, uptimeSeconds, seen, omitted } of measurements) {
    if (uptimeSeconds < quietSeconds) {
      blind.push(`HAProxy on ${instanceId} started ${Math.round(uptimeSeconds)} s ago and knows nothing from before`);
    }
    // The entries that were left out are older than every one that was kept.
    const known = Math.max(0, ...seen.map((each) => each.ageSeconds));
    if (omitted > 0 && known < quietSeconds) {
      blind.push(`${instanceId} saw ${omitted} more sources than its answer holds, all within ${quietSeconds} s`);
    }
  }
  return blind;
}

function unprovenNodes({ wanted, nodes, measurements, plainAnyway }: Question): { node: string; port: number }[] {
  return nodes.flatMap((node) =>
    [...wanted]
      .filter(([port, kind]) => {
        if (kind === 'plain' && plainAnyway.has(port)) return !isProbedPlain(measurements, node, port);
        const fromNode = measurements.flatMap(({ seen }) =>
          seen.filter((each) => each.source === node && each.port === port),
        );
        // Nothing came at all, or the last that came was of the old kind.
        return ageOfLast(fromNode) === ageOfLast(fromNode.filter((each) => each.kind !== kind));
      })
      .map(([port]) => ({ node, port })),
  );
}

/** Infinity where none came. */
const ageOfLast = (seen: readonly Seen[]): number => Math.min(...seen.map((each) => each.ageSeconds));

/** An `aws:loop` runs at most 100 rounds: the bound is spread over fewer, since each round's command takes time too. */
const ROUNDS = 90;
const SHORTEST_PAUSE_SECONDS = 2;
/** Well within the 300 s that Automation gives a Lambda step. */
const LONGEST_PAUSE_SECONDS = 200;

/** How long to wait before the next round. Unit: seconds. */
export const pauseSeconds = (boundSeconds: number): number =>
  Math.min(LONGEST_PAUSE_SECONDS, Math.max(SHORTEST_PAUSE_SECONDS, boundSeconds / ROUNDS));

/**
 * One receiver's answer to `Measure`, or why it is none.
 *
 * Shape: `{"uptime":143,"own":["10.0.1.11"],"seen":[["80","10.0.101.21","plain",12,34.1]],"omitted":0,"probes":"012-"}`. Of `probes`
 * each character is one of the listeners that were to be probed: 0 without a line, 1 with one, 2 some of each, - no answer.
 */
export function readMeasurement(
  instanceId: string,
  answer: Readonly<Record<string, unknown>> | undefined,
  listeners: readonly ProbedListener[],
): Measurement | { readonly instanceId: string; readonly why: string } {
  const { uptime, own, seen, omitted = 0, probes } = answer ?? {};
  if (typeof uptime !== 'number' || !Array.isArray(own) || !Array.isArray(seen) || typeof omitted !== 'number') {
    return { instanceId, why: 'its answer is not a measurement' };
  }
  if (typeof probes !== 'string' || probes.length !== listeners.length) {
    return { instanceId, why: `its answer has not the ${listeners.length} probes that it was asked for` };
  }
  const entries = seen.map(readSeen).filter((entry) => entry !== undefined);
  if (entries.length < seen.length) return { instanceId, why: 'its answer holds an entry that cannot be read' };
  return {
    instanceId,
    uptimeSeconds: uptime,
    own: own.map(String),
    seen: entries,
    omitted,
    probes: listeners.flatMap(({ node, instancePort }, index) => {
      const kinds = PROBED_KINDS[probes.charAt(index)];
      return kinds === undefined ? [] : [{ node, port: instancePort, kinds }];
    }),
  };
}

const PROBED_KINDS: Readonly<Record<string, readonly Kind[]>> = {
  '0': ['plain'],
  '1': ['proxy'],
  '2': ['plain', 'proxy'],
};

function readSeen(entry: unknown): Seen | undefined {
  if (!Array.isArray(entry)) return undefined;
  const [port, source, kind, count, ageSeconds]: unknown[] = entry;
  if (typeof source !== 'string' || (kind !== 'plain' && kind !== 'proxy')) return undefined;
  if (typeof count !== 'number' || typeof ageSeconds !== 'number' || !Number.isInteger(Number(port))) return undefined;
  return { port: Number(port), source, kind, count, ageSeconds };
}
