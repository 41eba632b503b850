/** Results as runs give them, to be changed where a test wants it. */
import {
  DISAGREEMENT_PHASE,
  type Order,
  type PhaseResult,
  type RehearsalResult,
} from '../../../rehearsal/report/result.ts';
import type { FailureCounts, RequestCounts, SecondCounts } from '../../../rehearsal/traffic/counts.ts';

export function requests(sent: number, failures: FailureCounts = {}): RequestCounts {
  const failed = Object.values(failures).reduce((sum, value) => sum + value, 0);
  return { sent, ok: sent - failed, failed, failures };
}

const NO_FORGED = { sent: 0, served: 0, refused: 0, believed: 0, failed: 0, failures: {} };
const NO_ANSWERS = { own: 0, node: 0, none: 0, other: 0, trusted: 0, untrusted: 0, onOlderConnections: 0 };

export function phase(name: string, startMs: number, endMs: number, more: Partial<PhaseResult> = {}): PhaseResult {
  const mode = name === 'plain' || name === 'both' || name === 'proxy' ? [name] : ['plain', 'both', 'proxy'];
  return {
    name,
    modes: mode as PhaseResult['modes'],
    startMs,
    endMs,
    newConnections: requests(((endMs - startMs) / 1000) * 400),
    keepAlive: { ...requests(((endMs - startMs) / 1000) * 40), retried: 0 },
    forged: NO_FORGED,
    webSocketsDropped: 0,
    clientAddress: { correct: 1000, wrong: 0, unverified: 0 },
    answers: NO_ANSWERS,
    byInstance: {},
    ...more,
  };
}

/** A run of the runbook in which nothing failed. */
export function aResult(more: Partial<RehearsalResult> = {}): RehearsalResult {
  return {
    version: 1,
    order: 'runbook',
    machines: 3,
    nodes: 2,
    cycles: 0,
    policyDelayMs: [500, 4000],
    image: 'baked',
    release: 'bookworm',
    startedAt: '2026-11-21T10:00:00.000Z',
    durationMs: 60_000,
    newConnections: requests(24_000),
    keepAlive: { ...requests(2_400), retried: 1 },
    webSockets: {
      opened: 60,
      returned: 0,
      failedToOpen: 0,
      dropped: 0,
      messagesSent: 2_402,
      messagesEchoed: 2_402,
      messagesLost: 0,
      complaints: 0,
    },
    forged: { sent: 300, served: 120, refused: 180, believed: 0, failed: 0, failures: {} },
    clientAddress: { correct: 24_310, wrong: 0, unverified: 0 },
    phases: [
      phase('plain', 0, 15_000, {
        sample: { source: '198.51.100.12', address: '10.0.101.21', trusted: false },
        answers: { ...NO_ANSWERS, node: 1500, untrusted: 1500 },
      }),
      phase('both', 15_000, 40_000, {
        sample: { source: '198.51.100.13', address: null, trusted: false },
        answers: { ...NO_ANSWERS, node: 1000, none: 1500, untrusted: 2500 },
      }),
      phase('proxy', 40_000, 60_000, {
        sample: { source: '198.51.100.14', address: '198.51.100.14', trusted: true },
        answers: { ...NO_ANSWERS, own: 2000, trusted: 2000 },
      }),
    ],
    stack: { status: 'CREATE_COMPLETE' },
    versions: { nginx: '1.22.1', haproxy: '2.6.12', node: '24.21.0', systemd: '252' },
    latencyMs: {
      newConnections: { count: 24_000, p50: 3, p99: 18, max: 140 },
      keepAlive: { count: 2_400, p50: 2, p99: 12, max: 90 },
      echo: { count: 2_402, p50: 4, p99: 21, max: 95 },
    },
    generator: { lateStarts: 12, maxLateMs: 130, maxInFlight: 90, capReached: 0, sources: 24 },
    drops: [],
    seconds: seconds(60, () => ({})),
    timeline: {
      instances: [0, 1, 2].map((index) => ({
        name: `machine-${index}`,
        changes: [
          { atMs: -5000, mode: 'plain' },
          { atMs: 15_500 + index * 700, mode: 'both' },
          { atMs: 37_000 + index * 900, mode: 'proxy' },
        ],
      })),
      nodes: ['10.0.101.21', '10.0.102.21'].map((address, index) => ({
        address,
        changes: [80, 443].flatMap((instancePort) => [
          { atMs: -5000, instancePort, hasPolicy: false },
          { atMs: 21_000 + index * 2600, instancePort, hasPolicy: true },
        ]),
      })),
    },
    examples: [],
    ...more,
  };
}

export function seconds(count: number, failuresAt: (second: number) => FailureCounts): SecondCounts[] {
  return Array.from({ length: count }, (_, second) => ({
    second,
    newConnections: 396 + ((second * 7) % 9),
    keepAlive: 38 + ((second * 3) % 6),
    retried: 0,
    failures: failuresAt(second),
    messages: 40,
    webSocketsOpen: 60,
  }));
}

/** A run of one of the other orders: most of what is opened for ten seconds fails. */
export function aCostlyResult(order: Exclude<Order, 'runbook'>): RehearsalResult {
  const kind = order === 'elb-first' ? 'status-400' : 'reset';
  const failed = { [kind]: 2_310, closed: 130 };
  const base = aResult();
  return aResult({
    order,
    stack: { status: 'NONE' },
    newConnections: requests(24_000, failed),
    phases: [
      phase('plain', 0, 15_000),
      phase(DISAGREEMENT_PHASE, 15_000, 25_000, {
        newConnections: requests(4_000, failed),
        clientAddress: { correct: 200, wrong: 0, unverified: 0 },
      }),
      phase('proxy', 25_000, 60_000),
    ],
    seconds: seconds(60, (second) =>
      second >= 15 && second < 25 ? { [kind]: 180 + ((second * 37) % 90), closed: 13 } : {},
    ),
    accessLog: {
      answered: 21_000,
      answeredUnlogged: 0,
      failedLogged: 0,
      failedUnlogged: 2_440,
      failedUnloggedByKind: failed,
      claimed: { own: 0, other: 0 },
      proxyLinesAsRequests: 0,
      unreadable: 0,
      examples: [],
      phases: ['plain', DISAGREEMENT_PHASE, 'proxy'].map((name) => ({
        name,
        answered: 7_000,
        answeredUnlogged: 0,
        failedLogged: 0,
        failedUnlogged: name === DISAGREEMENT_PHASE ? 2_440 : 0,
        failedUnloggedByKind: {},
        clientAddress: { correct: 0, wrong: 0, unverified: 0 },
      })),
    },
    timeline: {
      instances: base.timeline.instances.map((instance, index) => ({
        ...instance,
        changes: [
          { atMs: -5000, mode: 'plain' as const },
          { atMs: (order === 'elb-first' ? 23_000 : 15_000) + index * 600, mode: 'proxy' as const },
        ],
      })),
      nodes: base.timeline.nodes.map((node, index) => ({
        ...node,
        changes: [80, 443].flatMap((instancePort) => [
          { atMs: -5000, instancePort, hasPolicy: false },
          { atMs: (order === 'elb-first' ? 15_200 : 21_500) + index * 2600, instancePort, hasPolicy: true },
        ]),
      })),
    },
  });
}
