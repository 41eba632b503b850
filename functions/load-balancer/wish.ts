/** What a run is to bring about at the load balancer, from what it has and what was asked for. Pure. */

import { isOn, POLICY_NAME, type Policies } from '../shared/policies.ts';
import { type InstancePort, type PortChoice, switchedPorts } from '../shared/ports.ts';
import type { Direction, ReceiverMode } from '../shared/switch-state.ts';
import type { LoadBalancer } from './classic-elb.ts';

export interface Wish {
  /** The instance ports that the receivers serve when the run has ended. */
  readonly instancePorts: readonly InstancePort[];
  /** Those and the ones that lose the policy in this run: all must accept both on the way. */
  readonly bothPorts: readonly InstancePort[];
  /** Where a PROXY policy is to be on. */
  readonly on: readonly number[];
}

export function wishFor(loadBalancer: LoadBalancer, direction: Direction, choice: PortChoice): Wish {
  const { listeners, policies } = loadBalancer;
  const fed = new Set(listeners.map((listener) => listener.instancePort));
  // A disable must end well also where a listener that it was told of has gone since.
  const include = direction === 'enable' ? choice.include : choice.include.filter((port) => fed.has(port));
  const chosen =
    choice.include.length > 0 && include.length === 0
      ? []
      : switchedPorts(listeners, { include, exclude: choice.exclude });
  const carriers = [...policies.byPort]
    .filter(
      ([port, names]) => fed.has(port) && names.includes(POLICY_NAME) && !chosen.some((each) => each.port === port),
    )
    .map(([port]) => port);
  const leaving = carriers.length === 0 ? [] : switchedPorts(listeners, { include: carriers, exclude: [] });
  const all = [...chosen, ...leaving].sort((a, b) => a.port - b.port);
  return direction === 'enable'
    ? { instancePorts: chosen, bothPorts: all, on: chosen.map((each) => each.port) }
    : { instancePorts: all, bothPorts: all, on: [] };
}

/** A receiver has one mode for all its ports: strict only where all agree, else it goes on accepting both. */
export function modeFor(policies: Policies, ports: readonly number[]): ReceiverMode {
  const on = ports.filter((port) => isOn(policies, port)).length;
  if (on === 0) return 'plain';
  return on === ports.length ? 'proxy' : 'both';
}
