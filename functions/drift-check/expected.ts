/** What the last switch of a load balancer set, from its state. Pure. */
import { type InstancePort, parseInstancePorts, parsePortList } from '../shared/ports.ts';
import type { ReceiverMode, SwitchState } from '../shared/switch-state.ts';

export interface Expected {
  /** The instance ports that were switched, and how each was fed. */
  readonly ports: readonly InstancePort[];
  /** `either`: a run that ended half-way, or a disable that foreign policies outlived; whatever the load balancer sends is served. */
  readonly policy: 'on' | 'off' | 'either';
  readonly mode: ReceiverMode;
  /** `10.0.101.0/24 10.0.102.0/24`; undefined = the state does not say. */
  readonly trustedCidrs: string | undefined;
  /** Ports that the run was told to leave alone, and the only ones that it was told to switch (empty: all). */
  readonly exclude: readonly number[];
  readonly include: readonly number[];
  /** Policies that were on a port before the switch, whoever put them there. */
  readonly before: ReadonlyMap<number, readonly string[]>;
  /** The run ended before its last step; undefined = it did not. */
  readonly unfinished: SwitchState['phase'] | undefined;
  /** Whether `both` is what was asked for, and not what a run had to stop at. */
  readonly staysBoth: boolean;
  readonly withChat: boolean;
  /** Milliseconds since the epoch. */
  readonly setAt: number;
}

/** @param state  of a run that has ended, however it did */
export function expectedOf(state: SwitchState): Expected {
  const { mode, phase, direction, parameters = {} } = state;
  const unfinished = phase === 'done' ? undefined : phase;
  return {
    // Half-way, every port that the run touches accepts both.
    ports: parseInstancePorts(unfinished === undefined ? state.instancePorts : state.bothPorts),
    policy:
      mode === 'proxy' ? 'on' : mode === 'plain' ? 'off' : phase === 'done' && direction === 'enable' ? 'on' : 'either',
    mode,
    trustedCidrs: state.trustedCidrs,
    exclude: parsePortList('ExcludePorts', parameters.ExcludePorts ?? '22'),
    include: parsePortList('IncludePorts', parameters.IncludePorts ?? ''),
    before: new Map(Object.entries(state.before).map(([port, names]) => [Number(port), names])),
    unfinished,
    staysBoth: parameters.FinalMode === 'both',
    withChat: parameters.Chat === 'On',
    setAt: Date.parse(state.startedAt),
  };
}
