/** What the rehearsal and the clients' process say to each other: one JSON object a line. */
import type { TrafficResult, TrafficSnapshot } from './counts.ts';
import type { Entry } from './entries.ts';
import type { PhaseStart, TrafficPlan } from './plan.ts';

/** The first is the plan. `number` comes back in `done`. */
export type ToWorker =
  | { readonly type: 'plan'; readonly plan: TrafficPlan }
  | { readonly type: 'phase'; readonly number: number; readonly phase: PhaseStart }
  | { readonly type: 'entries'; readonly number: number; readonly entries: readonly Entry[] }
  /** Each client that keeps a connection comes back once, some time within this. */
  | { readonly type: 'reconnect'; readonly number: number; readonly withinMs: number }
  | { readonly type: 'stop' };

export type ToParent =
  /** Every WebSocket is open or has failed to open. */
  | { readonly type: 'ready' }
  | { readonly type: 'done'; readonly number: number }
  | { readonly type: 'snapshot'; readonly snapshot: TrafficSnapshot }
  /** The last line; the process ends by itself. */
  | { readonly type: 'result'; readonly result: TrafficResult };
