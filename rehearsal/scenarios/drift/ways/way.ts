/** One way in which a switched fleet comes to differ from what was set, and those that make it. */
import type { Kind } from '../../../../functions/drift-check/kinds.ts';
import type { Environment } from '../../../environment.ts';
import { type ChatFleet, LOAD_BALANCER } from '../../../fleet.ts';
import type { Instance } from '../../../world.ts';
import type { ScenarioOptions } from '../../options.ts';
import { runRunbook } from '../../runbook.ts';
import { fleetParameters, type StackParameters } from '../../stack.ts';
import type { Hands } from '../hands.ts';

export interface Way {
  readonly kind: Kind;
  /** As people would say it. */
  readonly by: string;
  readonly severity: string;
  /** The health check takes the instance out of service, before it is looked at or after: then its next change fails, and no request. */
  readonly isTakenOut?: true;
  readonly where: string;
  /** Other findings that it cannot come without. */
  readonly also?: readonly Kind[];
  /** What the finding has to say of who did it. */
  readonly cause?: RegExp;
  /** Default `MODIFIED`. */
  readonly status?: 'UNKNOWN' | 'DELETED';
  /** Default: the fleet's. */
  readonly loadBalancer?: string;
  /** How long it has to last until it is drift. Unit: milliseconds. */
  readonly ripeMs?: number;
  /** The runbook mends it, and so does remediation. */
  readonly isMendedBySwitch: boolean;
  make(): Promise<unknown>;
  /** What is to be done where the finding has no command, since it takes a person. */
  decide?(): Promise<unknown>;
  /** What was mended by taking it on as it is, taken back. */
  after?(): Promise<unknown>;
}

export interface Cast {
  readonly environment: Environment;
  readonly fleet: ChatFleet;
  readonly options: ScenarioOptions;
  readonly interrupted: AbortSignal;
  readonly hands: Hands;
  /** Nothing is done to this one: its WebSockets have to stay, and it calls the others as a neighbour in the network would. */
  readonly neighbour: Instance;
  /** Each with drift of its own at one time. */
  readonly victims: readonly [Instance, Instance];
  /** As the schedule does, of the whole account. */
  readonly completeCheck: () => Promise<void>;
}

/** @throws Error  it takes three machines */
export function victimsOf({ instances }: ChatFleet): Pick<Cast, 'neighbour' | 'victims'> {
  const [neighbour, ...others] = instances;
  const [first, second] = others.slice(-2);
  if (neighbour === undefined || first === undefined || second === undefined) {
    throw new Error('drift needs three machines at least: --machines 3');
  }
  return { neighbour, victims: [first, second] };
}

/** Another load balancer of the account. */
export const OTHER = `${LOAD_BALANCER}-other`;

/** An instance port that the switch was told to leave alone, beside the one that it leaves by default. */
export const EXCLUDED_PORT = 84;

/** Of the stack: how long `both` may last before it is drift. */
export const BOTH_SECONDS = 5;

export const driftParameters = ({ fleet, options }: Pick<Cast, 'fleet' | 'options'>): StackParameters => ({
  ...fleetParameters(fleet, options),
  ExcludePorts: `22,${EXCLUDED_PORT}`,
});

/** The switch, as a person starts it who has nothing to mend. */
export const enable = (cast: Cast, more: StackParameters = {}): Promise<unknown> =>
  runRunbook(cast.environment, 'enable', { ...driftParameters(cast), ...more }, cast.interrupted);
