/** Counts everything that the clients see. No clock and no sockets of its own: it is told when. */
import { build, type Histogram } from 'hdr-histogram-js';
import { BEHIND_AN_ALB, judgeAddress, ownerOf, type ReceiverMode, type SeenAddress } from './client-address.ts';
import type {
  AddressCounts,
  FailureCounts,
  ForgedCounts,
  GeneratorCounts,
  KeepAliveCounts,
  LatencySummary,
  PhaseCounts,
  RequestCounts,
  SecondCounts,
  Totals,
  TrafficResult,
  TrafficSnapshot,
  WebSocketCounts,
  WebSocketDrop,
} from './counts.ts';
import type { Entry } from './entries.ts';
import type { FailureKind, Listener } from './exchange.ts';
import type { PhaseStart } from './plan.ts';
import type { Outcome, RequestRecord, Stream } from './request-record.ts';

/** A connection or a request that has begun and not yet ended. */
export interface OpenRequest {
  readonly rid: string;
  readonly stream: Stream;
  readonly listener: Listener;
  readonly source: string;
  readonly target: string;
  readonly startMs: number;
  /** When an open loop meant to start it; latency counts from here. */
  readonly dueMs: number;
  readonly openedPhase: number;
  readonly startedPhase: number;
}

export interface InstanceAnswer extends SeenAddress {
  readonly instance: string;
}

const EXAMPLES_PER_KIND = 3;

export class Ledger {
  readonly phases: PhaseCounts[] = [];
  private readonly startMs: number;
  private readonly nodes: Set<string>;
  private readonly albs = new Set<string>();
  private readonly onRecord: (record: RequestRecord) => void;
  private readonly newConnections = requestCounts();
  private readonly byEntry = { classic: requestCounts(), alb: requestCounts() };
  private readonly byListener = { plain: requestCounts(), tls: requestCounts() };
  private readonly keepAlive: KeepAliveCounts = { ...requestCounts(), retried: 0 };
  private readonly forged = forgedCounts();
  private readonly clientAddress = addressCounts();
  private readonly webSockets: WebSocketCounts = {
    opened: 0,
    returned: 0,
    failedToOpen: 0,
    dropped: 0,
    messagesSent: 0,
    messagesEchoed: 0,
    messagesLost: 0,
    complaints: 0,
    open: 0,
  };
  private readonly drops: WebSocketDrop[] = [];
  private readonly seconds: SecondCounts[] = [];
  private readonly latency = { new: histogram(), keepAlive: histogram(), echo: histogram() };
  private lastSecondLatency = histogram();
  private lastSecond = { newConnections: 0, keepAlive: 0, failed: 0, messages: 0 };
  private readonly sources = new Set<string>();
  private readonly generator: Omit<GeneratorCounts, 'sources'> = {
    lateStarts: 0,
    maxLateMs: 0,
    maxInFlight: 0,
    capReached: 0,
  };
  private readonly examples = new Map<string, string[]>();
  private nextRid = 0;
  private readonly ridPrefix: string;

  constructor(options: {
    startMs: number;
    phase: PhaseStart;
    nodes: Iterable<string>;
    onRecord?: (record: RequestRecord) => void;
  }) {
    this.startMs = options.startMs;
    this.nodes = new Set(options.nodes);
    this.onRecord = options.onRecord ?? (() => {});
    this.ridPrefix = options.startMs.toString(36);
    this.enterPhase(options.phase, options.startMs);
  }

  enterPhase(phase: PhaseStart, atMs: number): void {
    const last = this.phases.at(-1);
    if (last) last.endMs = atMs;
    this.phases.push({
      name: phase.name,
      modes: phase.modes,
      startMs: atMs,
      endMs: atMs,
      newConnections: requestCounts(),
      keepAlive: { ...requestCounts(), retried: 0 },
      forged: forgedCounts(),
      clientAddress: addressCounts(),
      answers: { own: 0, node: 0, none: 0, other: 0, trusted: 0, untrusted: 0, onOlderConnections: 0 },
      spanning: 0,
      webSocketsDropped: 0,
      byInstance: {},
    });
  }

  get currentPhase(): number {
    return this.phases.length - 1;
  }

  addEntries(entries: readonly Entry[]): void {
    for (const { kind, addresses } of entries) {
      for (const address of addresses) (kind === 'alb' ? this.albs : this.nodes).add(address);
    }
  }

  /** A request is about to be sent. `openedPhase` is given for a connection that is used again. */
  begin(
    stream: Stream,
    endpoint: { listener: Listener; source: string; target: string },
    atMs: number,
    more: { dueMs?: number; openedPhase?: number; isRetry?: boolean } = {},
  ): OpenRequest {
    const startedPhase = this.currentPhase;
    this.sources.add(endpoint.source);
    if (!more.isRetry) {
      for (const counts of this.countsOf({ stream, ...endpoint }, startedPhase)) counts.sent += 1;
      const second = this.second(atMs);
      if (stream === 'new') second.newConnections += 1;
      if (stream === 'keepAlive') second.keepAlive += 1;
    }
    this.nextRid += 1;
    return {
      rid: `${this.ridPrefix}-${this.nextRid.toString(36)}`,
      stream,
      listener: endpoint.listener,
      source: endpoint.source,
      target: endpoint.target,
      startMs: atMs,
      dueMs: more.dueMs ?? atMs,
      openedPhase: more.openedPhase ?? startedPhase,
      startedPhase,
    };
  }

  /** Answered as it should be. `answer` only where the application answered, not nginx by itself. */
  succeeded(request: OpenRequest, atMs: number, answer?: InstanceAnswer): void {
    for (const counts of this.countsOf(request, request.startedPhase)) {
      if ('ok' in counts) counts.ok += 1;
    }
    if (request.stream !== 'forged') {
      const latencyMs = atMs - request.dueMs;
      record(this.latency[request.stream], latencyMs);
      record(this.lastSecondLatency, latencyMs);
      this.lastSecond[request.stream === 'new' ? 'newConnections' : 'keepAlive'] += 1;
    }
    if (answer) this.countAnswer(request, answer, () => this.describe(request));
    this.end(request, atMs, 'ok');
  }

  failed(request: OpenRequest, atMs: number, failure: FailureKind, detail: string): void {
    for (const counts of this.countsOf(request, request.startedPhase)) {
      counts.failed += 1;
      increment(counts.failures, failure);
    }
    if (request.stream !== 'forged') {
      increment(this.second(request.startMs).failures, failure);
      this.lastSecond.failed += 1;
    }
    this.example(`${request.stream} ${failure}`, () => `${this.describe(request)}: ${failure}: ${detail}`);
    this.end(request, atMs, failure);
  }

  /** The first attempt of a keep-alive request: not failed yet; `begin` the second with `isRetry`. */
  retried(request: OpenRequest, atMs: number, detail: string): void {
    this.keepAlive.retried += 1;
    this.phase(request.startedPhase).keepAlive.retried += 1;
    this.second(request.startMs).retried += 1;
    this.example('retried', () => `${this.describe(request)}: retried: ${detail}`);
    this.end(request, atMs, 'retried');
  }

  /** A request that began with a forged PROXY line was answered 400 or cut off without an answer. */
  forgedRefused(request: OpenRequest, atMs: number, failure: FailureKind): void {
    for (const counts of [this.forged, this.phase(request.startedPhase).forged]) counts.refused += 1;
    this.end(request, atMs, failure);
  }

  /** … was served; with the address that the application saw, if it was the application that answered. */
  forgedServed(request: OpenRequest, atMs: number, claimedAddress: string, answer?: InstanceAnswer): void {
    const isBelieved = answer?.address === claimedAddress;
    for (const counts of [this.forged, this.phase(request.startedPhase).forged]) {
      counts[isBelieved ? 'believed' : 'served'] += 1;
    }
    if (isBelieved)
      this.example('believed', () => `${this.describe(request)}: forged address ${claimedAddress} believed`);
    if (answer) this.countAnswer(request, answer, () => this.describe(request));
    this.end(request, atMs, 'ok');
  }

  /** `answer`: what the application saw of the client when the WebSocket was opened. */
  webSocketOpened(at: { source: string; target: string; openedPhase: number }, answer: InstanceAnswer): void {
    this.webSockets.opened += 1;
    this.webSockets.open += 1;
    this.countAnswer({ ...at, startedPhase: at.openedPhase }, answer, () => `WebSocket ${at.source} → ${at.target}`);
  }

  /** Refused, or answered out of order: not a drop, but worth a line. */
  webSocketComplaint(client: number, what: string): void {
    this.webSockets.complaints += 1;
    this.example('complaint', () => `WebSocket ${client}: ${what}`);
  }

  webSocketFailedToOpen(target: string, detail: string): void {
    this.webSockets.failedToOpen += 1;
    this.example('webSocket', () => `WebSocket to ${target}: not opened: ${detail}`);
  }

  webSocketReturned(at: { source: string; target: string; openedPhase: number }, answer: InstanceAnswer): void {
    this.webSockets.returned += 1;
    this.countAnswer({ ...at, startedPhase: at.openedPhase }, answer, () => `WebSocket ${at.source} → ${at.target}`);
  }

  webSocketClosed(): void {
    this.webSockets.open -= 1;
  }

  webSocketDropped(drop: Omit<WebSocketDrop, 'phase'>): void {
    const phase = this.phase(this.currentPhase);
    this.webSockets.open -= 1;
    this.webSockets.dropped += 1;
    phase.webSocketsDropped += 1;
    this.drops.push({ ...drop, phase: phase.name });
    this.example(
      'drop',
      () => `WebSocket ${drop.client} to ${drop.target}: dropped in ${phase.name}: ${drop.code} ${drop.reason}`,
    );
  }

  messageSent(): void {
    this.webSockets.messagesSent += 1;
  }

  messageEchoed(sentMs: number, atMs: number): void {
    this.webSockets.messagesEchoed += 1;
    this.second(atMs).messages += 1;
    this.lastSecond.messages += 1;
    record(this.latency.echo, atMs - sentMs);
  }

  /** At the end: what was sent and never came back. */
  messagesLost(count: number): void {
    this.webSockets.messagesLost += count;
  }

  started(lateMs: number, inFlight: number): void {
    if (lateMs > 50) this.generator.lateStarts += 1;
    this.generator.maxLateMs = Math.max(this.generator.maxLateMs, Math.round(lateMs));
    this.generator.maxInFlight = Math.max(this.generator.maxInFlight, inFlight);
  }

  capReached(): void {
    this.generator.capReached += 1;
  }

  /** The last second's rates begin anew with each snapshot. */
  snapshot(atMs: number): TrafficSnapshot {
    this.second(atMs);
    const snapshot: TrafficSnapshot = {
      ...this.totals(),
      atMs,
      elapsedMs: atMs - this.startMs,
      phase: this.phase(this.currentPhase).name,
      rates: this.lastSecond,
      latencyMs: summary(this.lastSecondLatency),
      generator: { ...this.generator, sources: this.sources.size },
    };
    this.lastSecond = { newConnections: 0, keepAlive: 0, failed: 0, messages: 0 };
    this.lastSecondLatency = histogram();
    return snapshot;
  }

  result(atMs: number, endedBy: TrafficResult['endedBy']): TrafficResult {
    this.phase(this.currentPhase).endMs = atMs;
    return {
      ...this.totals(),
      startMs: this.startMs,
      endMs: atMs,
      endedBy,
      phases: this.phases,
      newConnectionsByEntry: this.byEntry,
      albAddresses: [...this.albs],
      newConnectionsByListener: this.byListener,
      drops: this.drops,
      latencyMs: {
        newConnections: summary(this.latency.new),
        keepAlive: summary(this.latency.keepAlive),
        echo: summary(this.latency.echo),
      },
      generator: { ...this.generator, sources: this.sources.size },
      seconds: this.seconds,
      examples: [...this.examples.values()].flat(),
    };
  }

  private totals(): Totals {
    return {
      newConnections: this.newConnections,
      keepAlive: this.keepAlive,
      webSockets: this.webSockets,
      forged: this.forged,
      clientAddress: this.clientAddress,
    };
  }

  private countAnswer(
    request: Pick<OpenRequest, 'source' | 'target' | 'openedPhase' | 'startedPhase'>,
    answer: InstanceAnswer,
    who: () => string,
  ): void {
    const phase = this.phase(request.startedPhase);
    const judgement = judgeAddress(answer, request.source, this.nodes, this.modesOf(request));
    this.clientAddress[judgement] += 1;
    phase.clientAddress[judgement] += 1;
    phase.answers[ownerOf(answer.address, request.source, this.nodes)] += 1;
    phase.answers[answer.trusted ? 'trusted' : 'untrusted'] += 1;
    if (request.openedPhase < request.startedPhase) phase.answers.onOlderConnections += 1;
    if (request.startedPhase === this.currentPhase) {
      phase.sample = { source: request.source, address: answer.address, trusted: answer.trusted };
    }
    phase.byInstance[answer.instance] = (phase.byInstance[answer.instance] ?? 0) + 1;
    if (judgement !== 'correct') {
      const seen = `address ${answer.address}, trusted ${answer.trusted}, from ${answer.instance}`;
      this.example(`address ${judgement}`, () => `${who()}: ${judgement}: ${seen}`);
    }
  }

  private modesOf({ target, openedPhase }: Pick<OpenRequest, 'target' | 'openedPhase'>): ReadonlySet<ReceiverMode> {
    if (this.albs.has(target)) return BEHIND_AN_ALB;
    return new Set(this.phases.slice(openedPhase).flatMap((phase) => phase.modes));
  }

  private end(request: OpenRequest, endMs: number, outcome: Outcome): void {
    const endedPhase = this.currentPhase;
    if (endedPhase > request.startedPhase) this.phase(request.startedPhase).spanning += 1;
    const { dueMs, ...rest } = request;
    this.onRecord({ ...rest, endMs, endedPhase, outcome });
  }

  private countsOf(
    { stream, listener, target }: Pick<OpenRequest, 'stream' | 'listener' | 'target'>,
    phase: number,
  ): (RequestCounts | ForgedCounts)[] {
    const inPhase = this.phase(phase);
    if (stream === 'new') {
      const byEntry = this.byEntry[this.albs.has(target) ? 'alb' : 'classic'];
      return [this.newConnections, inPhase.newConnections, this.byListener[listener], byEntry];
    }
    if (stream === 'keepAlive') return [this.keepAlive, inPhase.keepAlive];
    return [this.forged, inPhase.forged];
  }

  private phase(index: number): PhaseCounts {
    const phase = this.phases[index];
    if (!phase) throw new Error(`there is no phase ${index}`);
    return phase;
  }

  private second(atMs: number): SecondCounts {
    const wanted = Math.max(0, Math.floor((atMs - this.startMs) / 1000));
    while (this.seconds.length <= wanted) {
      this.seconds.push({
        second: this.seconds.length,
        newConnections: 0,
        keepAlive: 0,
        retried: 0,
        failures: {},
        messages: 0,
        webSocketsOpen: this.webSockets.open,
      });
    }
    return this.seconds[wanted] as SecondCounts;
  }

  private example(kind: string, text: () => string): void {
    const known = this.examples.get(kind) ?? [];
    if (known.length < EXAMPLES_PER_KIND) this.examples.set(kind, [...known, text()]);
  }

  private describe(request: OpenRequest): string {
    const phases = [request.openedPhase, request.startedPhase, this.currentPhase].map(
      (index) => this.phase(index).name,
    );
    const span = [...new Set(phases)].join(' → ');
    return `${request.stream} ${request.rid} ${request.source} → ${request.target} (${request.listener}, ${span})`;
  }
}

function requestCounts(): RequestCounts {
  return { sent: 0, ok: 0, failed: 0, failures: {} };
}

function forgedCounts(): ForgedCounts {
  return { sent: 0, served: 0, refused: 0, believed: 0, failed: 0, failures: {} };
}

function addressCounts(): AddressCounts {
  return { correct: 0, wrong: 0, unverified: 0 };
}

function increment(counts: FailureCounts, kind: FailureKind): void {
  counts[kind] = (counts[kind] ?? 0) + 1;
}

/** One minute at most, to two digits. */
function histogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000, numberOfSignificantValueDigits: 2 });
}

function record(into: Histogram, ms: number): void {
  into.recordValue(Math.min(60_000, Math.max(0, Math.round(ms))));
}

function summary(of: Histogram): LatencySummary {
  return {
    count: of.totalCount,
    p50: of.getValueAtPercentile(50),
    p99: of.getValueAtPercentile(99),
    max: of.totalCount === 0 ? 0 : of.maxValue,
  };
}
