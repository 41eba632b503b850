/** What is to be mended, from the event that woke the function: of the check, or of the function itself. Pure. */
import * as v from 'valibot';
import { isMendedBySwitch, KINDS, type Kind } from '../drift-check/kinds.ts';
import { ProxyflipError } from '../shared/errors.ts';

export interface Job {
  readonly loadBalancer: string;
  /** Those that the runbook mends; empty = there is nothing to do. */
  readonly kinds: readonly Kind[];
  /** ISO 8601: when the check found it; empty of an event of an older version. */
  readonly foundAt: string;
  /** Of the run that is waited for; undefined = it has not begun. */
  readonly executionId: string | undefined;
  /** How many invocations there have been. */
  readonly hop: number;
}

/** As `detail-type` says; the rules of the template bring no other. */
export const DRIFT = 'proxyflip drift';
export const GOES_ON = 'proxyflip remediation goes on';

const drift = v.object({
  'detail-type': v.literal(DRIFT),
  detail: v.object({
    loadBalancer: v.string(),
    at: v.optional(v.string(), ''),
    findings: v.array(v.object({ kind: v.string() })),
  }),
});

const goesOn = v.object({
  'detail-type': v.literal(GOES_ON),
  detail: v.object({
    loadBalancer: v.string(),
    kinds: v.array(v.string()),
    foundAt: v.optional(v.string(), ''),
    executionId: v.optional(v.string()),
    hop: v.number(),
  }),
});

const isKind = (kind: string): kind is Kind => Object.hasOwn(KINDS, kind);

export function parseJob(event: unknown): Job {
  const result = v.safeParse(v.variant('detail-type', [drift, goesOn]), event);
  if (!result.success) {
    const [issue] = result.issues;
    throw new ProxyflipError(
      'ERR_INVALID_INPUT',
      `${v.getDotPath(issue) ?? 'the event'} is ${JSON.stringify(issue.input) ?? 'missing'}: ${issue.message}.`,
    );
  }
  const event_ = result.output;
  switch (event_['detail-type']) {
    case DRIFT: {
      const { loadBalancer, at, findings } = event_.detail;
      const kinds = [...new Set(findings.map(({ kind }) => kind))].filter(isKind).filter(isMendedBySwitch);
      return { loadBalancer, kinds, foundAt: at, executionId: undefined, hop: 0 };
    }
    case GOES_ON: {
      const { kinds, executionId, ...rest } = event_.detail;
      return { ...rest, executionId, kinds: kinds.filter(isKind) };
    }
    default: {
      const never: never = event_;
      throw new TypeError(`no such event: ${JSON.stringify(never)}`);
    }
  }
}
