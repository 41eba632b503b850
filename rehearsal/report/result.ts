/** The result of one run, as `--json` writes it, and what of it falls short of what was promised. */
import type { AccessLogVerification } from '../traffic/access-log.ts';
import type { ReceiverMode } from '../traffic/client-address.ts';
import type {
  AddressCounts,
  AnswerCounts,
  ForgedCounts,
  GeneratorCounts,
  KeepAliveCounts,
  PhaseCounts,
  RequestCounts,
  SecondCounts,
  TrafficResult,
  WebSocketCounts,
  WebSocketDrop,
} from '../traffic/counts.ts';
import { type Program, type ResourceReport, shortOfFlat } from './resources.ts';
import { count, counted, failuresInWords, percent } from './words.ts';

/** Who switches which side first. `runbook` is the product; the other two are what people do without it. */
export type Order = 'runbook' | 'elb-first' | 'nginx-first';

/** The phase in which, with an order other than the runbook's, some node and some receiver contradict each other. */
export const DISAGREEMENT_PHASE = 'sides disagree';

export interface RunSettings {
  readonly order: Order;
  readonly machines: number;
  readonly nodes: number;
  /** How often PROXY protocol was enabled and disabled again; 0 = enabled once. */
  readonly cycles: number;
  /** Each node takes a policy over after a delay of its own between the two. */
  readonly policyDelayMs: readonly [number, number];
  readonly image: string;
  readonly release: string;
}

/** What was so, and since when. Unit: milliseconds since the traffic's start; negative = before it. */
export interface Timeline {
  readonly instances: readonly {
    readonly name: string;
    readonly changes: readonly { readonly atMs: number; readonly mode: ReceiverMode }[];
  }[];
  readonly nodes: readonly {
    readonly address: string;
    readonly changes: readonly { readonly atMs: number; readonly instancePort: number; readonly hasPolicy: boolean }[];
  }[];
}

export interface PhaseResult {
  readonly name: string;
  readonly modes: readonly ReceiverMode[];
  /** Since the traffic's start. Unit: milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  readonly newConnections: RequestCounts;
  readonly keepAlive: KeepAliveCounts;
  readonly forged: ForgedCounts;
  readonly webSocketsDropped: number;
  readonly clientAddress: AddressCounts;
  readonly answers: AnswerCounts;
  readonly byInstance: Readonly<Record<string, number>>;
  readonly sample?: PhaseCounts['sample'];
}

export interface RehearsalResult extends RunSettings {
  readonly version: 1;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly newConnections: RequestCounts;
  /** By which load balancer they came, where there were two kinds. */
  readonly newConnectionsByEntry?: TrafficResult['newConnectionsByEntry'];
  readonly keepAlive: KeepAliveCounts;
  readonly webSockets: Omit<WebSocketCounts, 'open'>;
  readonly forged: ForgedCounts;
  /** The application's own answers and, for redirects, nginx's access logs together; see `traffic/client-address.ts`. */
  readonly clientAddress: AddressCounts;
  readonly phases: readonly PhaseResult[];
  /** `NONE` where none is needed. */
  readonly stack: { readonly status: string };
  readonly versions: {
    readonly nginx: string;
    readonly haproxy: string;
    readonly node: string;
    readonly systemd: string;
  };
  readonly accessLog?: Omit<AccessLogVerification, 'clientAddress'>;
  readonly latencyMs: TrafficResult['latencyMs'];
  readonly generator: GeneratorCounts;
  readonly drops: readonly WebSocketDrop[];
  readonly seconds: readonly SecondCounts[];
  readonly timeline: Timeline;
  /** Of a run that was long enough to tell. */
  readonly resources?: ResourceReport;
  readonly examples: readonly string[];
}

export interface ResultParts {
  readonly settings: RunSettings;
  readonly traffic: TrafficResult;
  readonly accessLog?: AccessLogVerification;
  readonly stack: RehearsalResult['stack'];
  readonly versions: RehearsalResult['versions'];
  readonly timeline?: Timeline;
  readonly resources?: ResourceReport | undefined;
}

export function buildResult(parts: ResultParts): RehearsalResult {
  const { settings, traffic, accessLog, stack, versions, timeline, resources } = parts;
  const { open: _, ...webSockets } = traffic.webSockets;
  return {
    version: 1,
    order: settings.order,
    machines: settings.machines,
    nodes: settings.nodes,
    cycles: settings.cycles,
    policyDelayMs: settings.policyDelayMs,
    image: settings.image,
    release: settings.release,
    startedAt: new Date(traffic.startMs).toISOString(),
    durationMs: traffic.endMs - traffic.startMs,
    newConnections: traffic.newConnections,
    ...(traffic.albAddresses.length > 0 ? { newConnectionsByEntry: traffic.newConnectionsByEntry } : {}),
    keepAlive: traffic.keepAlive,
    webSockets,
    forged: traffic.forged,
    clientAddress: addCounts(traffic.clientAddress, accessLog?.clientAddress),
    phases: traffic.phases.map(({ spanning: __, ...phase }, index) => ({
      ...phase,
      startMs: phase.startMs - traffic.startMs,
      endMs: phase.endMs - traffic.startMs,
      clientAddress: addCounts(phase.clientAddress, accessLog?.phases[index]?.clientAddress),
    })),
    stack,
    versions,
    ...(accessLog ? { accessLog: withoutAddress(accessLog) } : {}),
    latencyMs: traffic.latencyMs,
    generator: traffic.generator,
    drops: traffic.drops,
    seconds: traffic.seconds,
    timeline: timeline ?? { instances: [], nodes: [] },
    ...(resources && { resources }),
    examples: [...traffic.examples, ...(accessLog?.examples ?? [])],
  };
}

/** What a run has to have seen to prove anything; a run that saw nothing has failed nothing either. */
export interface Required {
  readonly newConnections: number;
  readonly webSockets: number;
  readonly sources: number;
  /**
   * Keep-alive requests that may be sent again, where that is more than their share of 0.1 %: each reload of nginx closes some idle
   * connection, and in a short run these are more than the share of a long one. A client that is slow to see the close meets it more often:
   * one switch of three machines and 24 clients had 0 or 1 of some 4,500 on a quiet machine, and 10 of 4,026 beside another rehearsal.
   */
  readonly resentAtMost: number;
  /** Whose memory has to have been watched, where the run was long enough. */
  readonly watched: readonly Program[];
}

/** Of one switch, see `resentAtMost`; a run of several says how many it has. */
export const RESENT_BY_A_SWITCH = 12;

/** Of `npm start`; a shorter run says so with a smaller one. */
const REQUIRED: Required = {
  newConnections: 20_000,
  webSockets: 50,
  sources: 20,
  resentAtMost: RESENT_BY_A_SWITCH,
  watched: [],
};

/**
 * What fell short, each in a sentence; empty: nothing failed.
 *
 * With `runbook` nothing may fail. The other orders are run to show what they cost: there it falls short when the traffic
 * did *not* see it, since then it would not see it in the runbook's run either.
 */
export function verdict(result: RehearsalResult, required: Partial<Required> = {}): string[] {
  const needed = { ...REQUIRED, ...required };
  return [
    ...(result.order === 'runbook' ? shortOfPromise(result, needed) : shortOfCost(result)),
    ...shortOfProof(result, needed),
    ...(result.resources ? shortOfFlat(result.resources, needed.watched) : []),
  ];
}

function shortOfPromise(result: RehearsalResult, { resentAtMost }: Required): string[] {
  const { newConnections, keepAlive, webSockets, clientAddress, forged, stack } = result;
  return sentences([
    [
      newConnections.failed > 0,
      `${count(newConnections.failed)} of ${counted(newConnections.sent, 'new connection')} failed: ${failuresInWords(newConnections.failures)}`,
    ],
    [
      keepAlive.failed > 0,
      `${count(keepAlive.failed)} of ${counted(keepAlive.sent, 'keep-alive request')} failed: ${failuresInWords(keepAlive.failures)}`,
    ],
    [
      keepAlive.retried > Math.max(resentAtMost, keepAlive.sent / 1000),
      `${count(keepAlive.retried)} of ${counted(keepAlive.sent, 'keep-alive request')} had to be sent again (${percent(keepAlive.retried, keepAlive.sent)}, at most 0.1 % may)`,
    ],
    [webSockets.failedToOpen > 0, `${counted(webSockets.failedToOpen, 'WebSocket')} could not be opened`],
    [webSockets.dropped > 0, `${counted(webSockets.dropped, 'WebSocket')} of ${count(webSockets.opened)} dropped`],
    [
      webSockets.messagesLost > 0,
      `${count(webSockets.messagesLost)} of ${counted(webSockets.messagesSent, 'message')} lost`,
    ],
    [webSockets.complaints > 0, `${counted(webSockets.complaints, 'chat message')} refused, repeated or out of order`],
    [clientAddress.wrong > 0, `${counted(clientAddress.wrong, 'answer')} took another address for the client's`],
    [
      clientAddress.unverified > 0,
      `${counted(clientAddress.unverified, 'answer')} not verified although every receiver was in proxy`,
    ],
    [forged.believed > 0, `${counted(forged.believed, 'forged PROXY line')} believed`],
    [
      forged.failed > 0,
      `${counted(forged.failed, 'client')} with a forged PROXY line got neither an answer nor a refusal: ${failuresInWords(forged.failures)}`,
    ],
    [
      stack.status !== 'NONE' && (!stack.status.endsWith('_COMPLETE') || stack.status.includes('ROLLBACK')),
      `the stack ended in ${stack.status}`,
    ],
    [
      !result.phases.some((phase) => isProxyAlone(phase) && phase.clientAddress.correct > 0),
      'no answer was seen while every receiver was in proxy',
    ],
  ]);
}

function isProxyAlone(phase: PhaseResult): boolean {
  return phase.modes.length === 1 && phase.modes[0] === 'proxy';
}

function shortOfCost(result: RehearsalResult): string[] {
  const phases = result.phases.filter((phase) => phase.name === DISAGREEMENT_PHASE);
  const sent = sum(phases.map((phase) => phase.newConnections.sent));
  const failed = sum(phases.map((phase) => phase.newConnections.failed));
  const logged = sum(
    result.phases.map((phase, index) =>
      phase.name === DISAGREEMENT_PHASE ? (result.accessLog?.phases[index]?.failedLogged ?? 0) : 0,
    ),
  );
  return sentences([
    [sent === 0, `no new connection was opened while the sides disagreed (phase "${DISAGREEMENT_PHASE}")`],
    [
      sent > 0 && failed < sent * 0.2,
      `only ${count(failed)} of ${counted(sent, 'new connection')} failed while the sides disagreed (${percent(failed, sent)}; 20 % were to be expected): the traffic may not see failures`,
    ],
    [
      result.order === 'nginx-first' && logged > 0,
      `${counted(logged, 'failed request')} in nginx's access logs, where none was to be expected`,
    ],
    [result.order === 'nginx-first' && result.accessLog === undefined, "nginx's access logs were not looked at"],
  ]);
}

function shortOfProof(result: RehearsalResult, needed: Required): string[] {
  const { newConnections, webSockets, generator, accessLog } = result;
  return sentences([
    [
      newConnections.sent < needed.newConnections,
      `only ${counted(newConnections.sent, 'new connection')} sent; ${count(needed.newConnections)} are needed to prove anything`,
    ],
    [
      webSockets.opened < needed.webSockets,
      `only ${counted(webSockets.opened, 'WebSocket')} opened; ${count(needed.webSockets)} are needed`,
    ],
    [
      generator.sources < needed.sources,
      `the traffic came from ${counted(generator.sources, 'address')} only; ${needed.sources} are needed`,
    ],
    [
      generator.capReached > 0 && result.order === 'runbook',
      `${counted(generator.capReached, 'new connection')} had to wait for others to end: the load was lower than it claims`,
    ],
    [
      (accessLog?.answeredUnlogged ?? 0) > 0,
      `${counted(accessLog?.answeredUnlogged ?? 0, 'answered request')} in no access log: logs are missing`,
    ],
  ]);
}

function sentences(findings: readonly (readonly [boolean, string])[]): string[] {
  return findings.filter(([isSo]) => isSo).map(([, text]) => text);
}

function addCounts(left: AddressCounts, right: AddressCounts | undefined): AddressCounts {
  if (!right) return left;
  return {
    correct: left.correct + right.correct,
    wrong: left.wrong + right.wrong,
    unverified: left.unverified + right.unverified,
  };
}

function withoutAddress({
  clientAddress: _,
  ...rest
}: AccessLogVerification): Omit<AccessLogVerification, 'clientAddress'> {
  return rest;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
