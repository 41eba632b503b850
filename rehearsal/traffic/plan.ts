import type { ReceiverMode } from './client-address.ts';

/**
 * What the clients are to do. Sent to the worker as its first line; every time in milliseconds.
 *
 * Nothing in it is without bound: each request has a time-out, the whole run `maxSeconds`.
 */
export interface TrafficPlan {
  /** The clients' own addresses, all of them on the namespace's interface. Each connection is bound to one, in turn. */
  readonly sources: readonly string[];
  /** What the load balancer's name resolves to, taken in turn; may change while the traffic runs. */
  readonly targets: readonly string[];
  /** Every address that is a node's, targets or not: what an application behind a plain receiver sees. */
  readonly nodes: readonly string[];
  readonly ports: { readonly plain: number; readonly tls: number };
  /** `ca`: PEM of the certificate (or its authority) that the load balancer must show for `servername`. Always verified. */
  readonly tls: { readonly servername: string; readonly ca: string };
  readonly newConnections: NewConnectionsPlan;
  readonly keepAlive: KeepAlivePlan;
  readonly webSockets: WebSocketsPlan;
  readonly forged: ForgedPlan;
  readonly phase: PhaseStart;
  /** The traffic ends by itself after this, gracefully; the process is gone at most `stopGraceMs` + 5 s later. */
  readonly maxSeconds: number;
  /** For requests in flight and echoes that are due when the traffic is told to stop. */
  readonly stopGraceMs: number;
  /** One line for each request, see `request-record.ts`; none is written without it. */
  readonly recordFile?: string;
}

export interface NewConnectionsPlan {
  /** Open loop: so many are started in each second, whatever becomes of those before. 0 = none. */
  readonly perSecond: number;
  /** 0..1: how many of them go to the TLS listener, where the application answers; the rest is answered a redirect. */
  readonly tlsShare: number;
  /** Connect, handshake, request and answer together. */
  readonly timeoutMs: number;
  /** Above it connections wait for their turn; that it happened is reported (`capReached`), since the loop is closed then. */
  readonly maxInFlight: number;
}

export interface KeepAlivePlan {
  readonly clients: number;
  /** Between an answer and the next request: uniformly between the two. */
  readonly thinkTimeMs: readonly [number, number];
  readonly tlsShare: number;
  readonly timeoutMs: number;
}

export interface WebSocketsPlan {
  readonly clients: number;
  readonly path: string;
  readonly messageIntervalMs: readonly [number, number];
  /** To connect, upgrade and join. */
  readonly openTimeoutMs: number;
}

/** Clients that begin with a PROXY line of their own and claim to be somebody else. */
export interface ForgedPlan {
  readonly perSecond: number;
  readonly claimedAddress: string;
  readonly timeoutMs: number;
}

export interface PhaseStart {
  readonly name: string;
  /** The modes that some receiver may be in during this phase; see `client-address.ts`. */
  readonly modes: readonly ReceiverMode[];
}

/** What has no sensible value of its own, and whatever else one wants otherwise. */
export type TrafficPlanInput = Pick<TrafficPlan, 'sources' | 'targets' | 'tls'> &
  Partial<Pick<TrafficPlan, 'nodes' | 'phase' | 'maxSeconds' | 'stopGraceMs' | 'recordFile'>> & {
    readonly ports?: Partial<TrafficPlan['ports']>;
    readonly newConnections?: Partial<NewConnectionsPlan>;
    readonly keepAlive?: Partial<KeepAlivePlan>;
    readonly webSockets?: Partial<WebSocketsPlan>;
    readonly forged?: Partial<ForgedPlan>;
  };

/**
 * The defaults are for two cores that clients, nodes and machines share: 400 connections per second are 24,000 in a
 * minute, and a quarter of them by TLS leaves each phase of 10 s its thousand answers of the application.
 */
export function trafficPlan(input: TrafficPlanInput): TrafficPlan {
  return {
    ...input,
    nodes: input.nodes ?? input.targets,
    ports: { plain: 80, tls: 443, ...input.ports },
    newConnections: {
      perSecond: 400,
      tlsShare: 0.25,
      timeoutMs: 10_000,
      maxInFlight: 4_000,
      ...input.newConnections,
    },
    keepAlive: { clients: 24, thinkTimeMs: [200, 800], tlsShare: 0.5, timeoutMs: 10_000, ...input.keepAlive },
    webSockets: {
      clients: 60,
      path: '/ws/',
      messageIntervalMs: [1_000, 2_000],
      openTimeoutMs: 10_000,
      ...input.webSockets,
    },
    forged: { perSecond: 5, claimedAddress: '203.0.113.99', timeoutMs: 10_000, ...input.forged },
    phase: input.phase ?? { name: 'plain', modes: ['plain'] },
    maxSeconds: input.maxSeconds ?? 600,
    stopGraceMs: input.stopGraceMs ?? 10_000,
  };
}
