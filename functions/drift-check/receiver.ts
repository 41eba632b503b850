/**
 * What one receiver said of itself: the last line of `ssm-documents/scripts/inspect.sh`. Parsed once, here; an answer of another form
 * is no answer, and the receiver is unknown.
 */
import * as v from 'valibot';

/** Unix time in seconds; 0 = not known. */
const seconds = v.pipe(v.number(), v.minValue(0));

const unit = v.strictObject({
  active: v.boolean(),
  /** Since when it is so. */
  since: seconds,
});

const receiver = v.object({
  version: v.literal(1),
  /** `none`: proxyflip has never prepared this instance. */
  mode: v.picklist(['none', 'plain', 'both', 'proxy']),
  /** When the mode was set. */
  since: seconds,
  /** `80=http 81=https`: what it serves as switched. */
  ports: v.string(),
  /** `10.0.101.0/24 10.0.102.0/24` */
  cidrs: v.string(),
  healthPort: v.string(),
  /** The status that /healthz was answered with; 0 = not at all. */
  health: v.number(),
  nginx: unit,
  haproxy: unit,
  /** Whether the nftables rule of mode `both` is there. */
  rule: v.boolean(),
  /** Instance port → what it was seen to take just now, by a connection to the instance itself. */
  live: v.record(v.string(), v.picklist(['plain', 'both', 'proxy', 'none'])),
  /** Managed files that are not as the receiver wrote them; undefined = it has kept no list of them. */
  files: v.optional(
    v.array(
      v.strictObject({
        path: v.string(),
        how: v.picklist(['changed', 'missing', 'added']),
        since: seconds,
        /** `Puppet`, `Ansible` …, where the file's head names one. */
        manager: v.string(),
      }),
    ),
  ),
  chat: v.picklist(['absent', 'ready', 'not ready', 'stopped']),
  /** Of nginx's logs since `from`. */
  log: v.strictObject({
    from: seconds,
    /** Answered at the instance ports. */
    requests: v.number(),
    /** Refused with 400 because they began with a PROXY line. */
    proxied: v.number(),
    lastProxied: seconds,
    /** Dropped at a strict listener because they had none. */
    broken: v.number(),
    lastBroken: seconds,
    /** Where the dropped ones came from, most first, at most five; own addresses are not counted. */
    brokenFrom: v.array(v.string()),
    /** Whether some of them were health checks of an Application or Network Load Balancer (ELB-HealthChecker/2.0). */
    checkers: v.boolean(),
  }),
  /** How many more files are not as they were, where there are too many to be named. */
  omitted: v.optional(v.number()),
});

export type Receiver = v.InferOutput<typeof receiver>;

/** @returns undefined where it is not an answer of this version */
export function parseReceiver(answer: unknown): Receiver | undefined {
  const result = v.safeParse(receiver, answer);
  return result.success ? result.output : undefined;
}
