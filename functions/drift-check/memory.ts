/**
 * What a check remembers of a load balancer until the next: since when what is not in sync, and whether people have been told.
 * `/proxyflip/drift/status/<load balancer>`. Pure.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { type Finding, SEVERITIES, type Severity, STATUSES, type Status } from './finding.ts';
import type { Kind } from './kinds.ts';
import type { Draft } from './situation.ts';
import { describeFinding } from './words.ts';

const memory = v.object({
  version: v.literal(1),
  status: v.picklist(STATUSES),
  /** ISO 8601: when it came to this. */
  at: v.string(),
  worst: v.optional(v.picklist(SEVERITIES)),
  /** Of all findings, also those that `since` has no room for. */
  digest: v.string(),
  /** `<kind> <where>` → ISO 8601. */
  since: v.record(v.string(), v.string()),
});
const parameter = v.pipe(v.string(), v.parseJson(), memory);
export type Memory = v.InferOutput<typeof memory>;

const PREFIX = '/proxyflip/drift/status/';
export const memoryName = (loadBalancerName: string): string => `${PREFIX}${loadBalancerName}`;

/** The load balancers that were not in sync when they were last looked at. */
export const rememberedNames = (parameters: ReadonlyMap<string, string>): string[] =>
  [...parameters].flatMap(([name, text]) => {
    const status = name.startsWith(PREFIX) ? parseMemory(text)?.status : undefined;
    return status === undefined || status === 'IN_SYNC' ? [] : [name.slice(PREFIX.length)];
  });

/** @returns undefined where there is none, or none that this version can read: then everything is seen for the first time */
export function parseMemory(text: string | undefined): Memory | undefined {
  const result = v.safeParse(parameter, text);
  return result.success ? result.output : undefined;
}

/** Whether one of the findings was of one of these kinds; since the worst come first, the room in `since` is enough for them. */
export const hasKind = ({ since }: Memory, kinds: readonly Kind[]): boolean =>
  Object.keys(since).some((key) => kinds.some((kind) => key.startsWith(`${kind} `)));

/** What fits into a standard parameter of 4 KB beside the rest. Unit: characters. */
const SINCE_SIZE = 3_400;

/** What people are to be told, and the next check is to remember. */
export interface Change {
  readonly before: Status;
  readonly next: Memory;
}

export interface Recalled {
  readonly findings: readonly Finding[];
  /** undefined = nothing has changed. */
  readonly change: Change | undefined;
}

/** @param now  milliseconds since the epoch */
export function recall(previous: Memory | undefined, status: Status, drafts: readonly Draft[], now: number): Recalled {
  const before = previous?.status ?? 'IN_SYNC';
  const findings = drafts
    .map(({ began, ...draft }): Finding => {
      const first = Date.parse(previous?.since[keyOf(draft)] ?? '') || now;
      const since = new Date(began > 0 ? Math.min(began, first) : first).toISOString();
      return { ...draft, since, text: describeFinding({ ...draft, since }) };
    })
    .sort(byWeight);
  const next = describeMemory(status, findings, now);
  const isSame =
    before === status && (previous?.digest ?? EMPTY) === next.digest && !isWorse(next.worst, previous?.worst);
  return { findings, change: isSame ? undefined : { before, next } };
}

export const byWeight = (a: Finding, b: Finding): number =>
  SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
  a.kind.localeCompare(b.kind) ||
  a.where.localeCompare(b.where, 'en', { numeric: true });

/** That it is milder is no news: the load balancer has taken a broken instance out of service, and it is as broken as it was. */
const isWorse = (now: Severity | undefined, before: Severity | undefined): boolean =>
  now !== undefined && (before === undefined || SEVERITIES.indexOf(now) < SEVERITIES.indexOf(before));

const keyOf = ({ kind, where }: Pick<Finding, 'kind' | 'where'>): string => `${kind} ${where}`;

const digestOf = (keys: readonly string[]): string =>
  createHash('sha256')
    .update([...keys].sort().join('\n'))
    .digest('hex')
    .slice(0, 16);
const EMPTY = digestOf([]);

function describeMemory(status: Status, findings: readonly Finding[], now: number): Memory {
  const since: Record<string, string> = {};
  let size = 0;
  for (const finding of findings) {
    const key = keyOf(finding);
    size += key.length + finding.since.length + 6;
    if (size > SINCE_SIZE) break;
    since[key] = finding.since;
  }
  return {
    version: 1,
    status,
    at: new Date(now).toISOString(),
    worst: findings[0]?.severity,
    digest: digestOf(findings.map(keyOf)),
    since,
  };
}
