/**
 * The attributes of load balancers and of target groups: names, defaults, and which values the rehearsal can be set to. What it has no
 * effect for stays at its default, and another value is refused by name.
 *
 * Source: API reference, LoadBalancerAttribute and TargetGroupAttribute, those of Application Load Balancers.
 */
import { validationError } from './checks.ts';

interface Kind {
  readonly default: string;
  /** Which values have the effect that AWS gives them. Absent = the default alone. */
  readonly takes?: RegExp | readonly [least: number, most: number];
}

export type Attributes = ReadonlyMap<string, string>;

const BOOLEAN = /^(true|false)$/;
const DAY = 86_400;

export const LOAD_BALANCER_ATTRIBUTES: Readonly<Record<string, Kind>> = {
  'access_logs.s3.enabled': { default: 'false' },
  'access_logs.s3.bucket': { default: '' },
  'access_logs.s3.prefix': { default: '' },
  'connection_logs.s3.enabled': { default: 'false' },
  'connection_logs.s3.bucket': { default: '' },
  'connection_logs.s3.prefix': { default: '' },
  'client_keep_alive.seconds': { default: '3600' },
  'deletion_protection.enabled': { default: 'false', takes: BOOLEAN },
  'idle_timeout.timeout_seconds': { default: '60', takes: [1, 4000] },
  'ipv6.deny_all_igw_traffic': { default: 'false' },
  'load_balancing.cross_zone.enabled': { default: 'true' },
  'routing.http.desync_mitigation_mode': { default: 'defensive' },
  'routing.http.drop_invalid_header_fields.enabled': { default: 'false' },
  'routing.http.preserve_host_header.enabled': { default: 'false' },
  'routing.http.x_amzn_tls_version_and_cipher_suite.enabled': { default: 'false' },
  'routing.http.xff_client_port.enabled': { default: 'false', takes: BOOLEAN },
  'routing.http.xff_header_processing.mode': { default: 'append', takes: /^(append|preserve|remove)$/ },
  'routing.http2.enabled': { default: 'true', takes: BOOLEAN },
  'waf.fail_open.enabled': { default: 'false' },
  'zonal_shift.config.enabled': { default: 'false' },
};

export const TARGET_GROUP_ATTRIBUTES: Readonly<Record<string, Kind>> = {
  'deregistration_delay.timeout_seconds': { default: '300', takes: [0, 3600] },
  'load_balancing.algorithm.anomaly_mitigation': { default: 'off' },
  'load_balancing.algorithm.type': { default: 'round_robin' },
  'load_balancing.cross_zone.enabled': { default: 'use_load_balancer_configuration' },
  'slow_start.duration_seconds': { default: '0' },
  'stickiness.enabled': { default: 'false', takes: BOOLEAN },
  'stickiness.lb_cookie.duration_seconds': { default: String(DAY), takes: [1, 7 * DAY] },
  'stickiness.type': { default: 'lb_cookie' },
  'target_group_health.dns_failover.minimum_healthy_targets.count': { default: '1' },
  'target_group_health.dns_failover.minimum_healthy_targets.percentage': { default: 'off' },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count': { default: '1' },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage': { default: 'off' },
};

export const defaultsOf = (kinds: Readonly<Record<string, Kind>>): Attributes =>
  new Map(Object.entries(kinds).map(([name, kind]) => [name, kind.default]));

interface Given {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

/** @throws ServiceError ValidationError  for a name that the API does not have, and for a value that has no effect here */
export function changed(
  before: Attributes,
  given: readonly Given[] | undefined,
  kinds: Readonly<Record<string, Kind>>,
): Attributes {
  const after = new Map(before);
  for (const { Key = '', Value = '' } of given ?? []) {
    const kind = Object.hasOwn(kinds, Key) ? kinds[Key] : undefined;
    if (kind === undefined) throw validationError(`Attribute key '${Key}' is not recognized`);
    check(Key, Value, kind);
    after.set(Key, Value);
  }
  return after;
}

function check(name: string, value: string, { default: standard, takes }: Kind): void {
  if (value === standard) return;
  if (takes === undefined) {
    throw validationError(`Attribute ${name} can only be '${standard}' in the rehearsal, not '${value}'`);
  }
  if (takes instanceof RegExp) {
    if (!takes.test(value)) throw validationError(`'${value}' is not a valid value for attribute ${name}`);
    return;
  }
  const [least, most] = takes;
  if (!/^\d+$/.test(value) || Number(value) < least || Number(value) > most) {
    throw validationError(`Attribute ${name} must be between ${least} and ${most}, not '${value}'`);
  }
}

export const described = (attributes: Attributes): { Key: string; Value: string }[] =>
  [...attributes].map(([Key, Value]) => ({ Key, Value }));

export const isTrue = (attributes: Attributes, name: string): boolean => attributes.get(name) === 'true';
export const numberOf = (attributes: Attributes, name: string): number => Number(attributes.get(name));
