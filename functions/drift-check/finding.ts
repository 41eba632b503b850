/** What the check says: one finding for each thing that is not as it was set, and one status for each load balancer. */
import type { Kind } from './kinds.ts';

/** What it means for users, worst first. */
export const SEVERITIES = [
  'EVERY_REQUEST_FAILS',
  'SOME_REQUESTS_FAIL',
  'CLIENT_ADDRESSES_WRONG',
  'NEXT_CHANGE_FAILS',
  'UNTIDY',
] as const;
export type Severity = (typeof SEVERITIES)[number];

/**
 * CloudFormation's words. `DELETED`: the load balancer is gone. `NOT_CHECKED`: a switch is at work on it. `UNKNOWN`: nothing differs
 * as far as could be seen, and not all could be seen.
 */
export const STATUSES = ['MODIFIED', 'DELETED', 'UNKNOWN', 'NOT_CHECKED', 'IN_SYNC'] as const;
export type Status = (typeof STATUSES)[number];

export interface Finding {
  readonly kind: Kind;
  readonly severity: Severity;
  /** `load balancer`, `port 81`, `listener 443`, `i-0123`: with the kind, what memory and suppressions know a finding by. */
  readonly where: string;
  readonly expected: string;
  readonly observed: string;
  /** ISO 8601: when it began, where that can be told (a file's time, a unit's end), else when a check first saw it. */
  readonly since: string;
  /** Who or what did it, where that shows; else empty. */
  readonly cause: string;
  /** One command of the AWS CLI that mends it, to be run as it stands; empty where there is none. */
  readonly mend: string;
  /** All of that in a sentence or two for a person. */
  readonly text: string;
}

export interface LoadBalancerResult {
  readonly name: string;
  readonly status: Status;
  /** Worst first. Suppressed ones are not among them. */
  readonly findings: readonly Finding[];
  /** How many findings a suppression keeps back. */
  readonly suppressed: number;
  /** Why it was not checked or is not known; else empty. */
  readonly why: string;
}

export interface CheckAnswer {
  /** The first of STATUSES that a load balancer has, what is left to the next invocation being NOT_CHECKED; IN_SYNC without any. */
  readonly status: Status;
  readonly loadBalancers: readonly LoadBalancerResult[];
  /** In one sentence. */
  readonly summary: string;
  /** Every finding in words, for the console. */
  readonly report: string;
}

/** Detail of the event `proxyflip drift`: one for each change of a load balancer's state, none for a run that finds what the last found. */
export interface DriftEvent {
  readonly loadBalancer: string;
  readonly status: Status;
  readonly before: Status;
  /** ISO 8601: as the check will remember it. */
  readonly at: string;
  /** At most 20, worst first, since an event has a limit. */
  readonly findings: readonly Finding[];
  /** How many more there are. */
  readonly omitted: number;
  readonly summary: string;
}
