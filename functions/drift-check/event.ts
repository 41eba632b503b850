/** What the function is invoked with. Pure. */
import * as v from 'valibot';
import { ProxyflipError } from '../shared/errors.ts';
import { totalsSchema } from './totals.ts';

const continuation = v.strictObject({
  runId: v.string(),
  /** ISO 8601. */
  startedAt: v.string(),
  /** Names up to this one are done. */
  after: v.string(),
  /** How many invocations there have been. */
  hop: v.number(),
  totals: totalsSchema,
});
export type Continuation = v.InferOutput<typeof continuation>;

/** What the check of everything is, and what a schedule, whose events are of another form, means. */
export interface CheckEvent {
  /** undefined = every one in scope. */
  readonly loadBalancerName: string | undefined;
  readonly continuation: Continuation | undefined;
  /** How long the caller waits; undefined = as long as the invocation may last. Milliseconds. */
  readonly withinMs: number | undefined;
}

const asked = v.strictObject({
  loadBalancerName: v.optional(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9-]{0,32}$/, 'a load balancer’s name, or empty'))),
  /** As Automation passes it. */
  withinSeconds: v.optional(
    v.pipe(v.string(), v.regex(/^[1-9]\d{0,3}$/, 'a whole number of seconds'), v.transform(Number)),
  ),
  continuation: v.optional(continuation),
});

export function parseEvent(event: unknown): CheckEvent {
  // EventBridge's own events have these two; they say nothing that a check of everything needs.
  const isScheduled = typeof event === 'object' && event !== null && 'detail-type' in event && 'source' in event;
  const result = v.safeParse(asked, isScheduled ? {} : (event ?? {}));
  if (!result.success) {
    const [issue] = result.issues;
    throw new ProxyflipError(
      'ERR_INVALID_INPUT',
      `${v.getDotPath(issue) ?? 'the event'} is ${JSON.stringify(issue.input) ?? 'missing'}: ${issue.message}.`,
    );
  }
  const { loadBalancerName, withinSeconds, continuation } = result.output;
  return {
    loadBalancerName: loadBalancerName === '' ? undefined : loadBalancerName,
    continuation,
    withinMs: withinSeconds === undefined ? undefined : withinSeconds * 1000,
  };
}
