/** Everything about one load balancer that is compared, and what it means for users. Pure. */
import type { InstancePort } from '../shared/ports.ts';
import type { SwitchState } from '../shared/switch-state.ts';
import type { Expected } from './expected.ts';
import type { Finding, Severity } from './finding.ts';
import { type ObservedLoadBalancer, sentTo } from './observed.ts';
import type { Receiver } from './receiver.ts';

/** An instance that could not be asked, and why. */
export interface Unreachable {
  readonly unreachable: string;
}

/** Another load balancer that sends plain connections to an instance port of ours. */
export interface PlainNeighbour {
  readonly name: string;
  readonly port: number;
  readonly instanceIds: readonly string[];
}

export interface Situation {
  readonly state: SwitchState;
  readonly expected: Expected;
  readonly loadBalancer: ObservedLoadBalancer;
  /** By instance id: every registered instance. */
  readonly receivers: ReadonlyMap<string, Receiver | Unreachable>;
  /** Registered, and taken out of service by the health check: they serve nobody now. */
  readonly outOfService: ReadonlySet<string>;
  readonly neighbours: readonly PlainNeighbour[];
}

export interface Rules {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How long `both` may last. */
  readonly bothSeconds: number;
  /** What nginx logged before is explained by what a check has told already. Milliseconds since the epoch. */
  readonly logsSince: number;
  readonly switchDocument: string;
}

/** A finding before memory says since when. */
export interface Draft extends Omit<Finding, 'since' | 'text'> {
  /** Milliseconds since the epoch, where the thing itself tells; 0 = it does not. */
  readonly began: number;
}

export const isKnown = (receiver: Receiver | Unreachable | undefined): receiver is Receiver =>
  receiver !== undefined && 'mode' in receiver;

export const known = ({ receivers }: Situation): (readonly [string, Receiver])[] =>
  [...receivers].flatMap(([id, receiver]) => (isKnown(receiver) ? [[id, receiver] as const] : []));

/** Whether connections to this port of this instance fail, given what the load balancer sends there. */
export function failsAt(receiver: Receiver, port: number, sent: 'plain' | 'proxy'): boolean {
  // Nobody prepared it: whatever answers there does not expect a PROXY line.
  if (receiver.mode === 'none') return sent === 'proxy';
  const takes = receiver.live[String(port)];
  return takes !== undefined && takes !== 'both' && takes !== sent;
}

export function severityAtPort(situation: Situation, port: number, otherwise: Severity): Severity {
  const { loadBalancer, expected, outOfService } = situation;
  const sent = sentTo(loadBalancer, port);
  const serving = known(situation).filter(([id]) => !outOfService.has(id));
  // Nobody answered: they are taken to be what they were set to.
  if (serving.length === 0)
    return expected.mode === 'both' || expected.mode === sent ? otherwise : 'EVERY_REQUEST_FAILS';
  const failing = serving.filter(([, receiver]) => failsAt(receiver, port, sent)).length;
  if (failing === 0) return otherwise;
  return failing === serving.length ? 'EVERY_REQUEST_FAILS' : 'SOME_REQUESTS_FAIL';
}

/** @param isBroken  whether this instance, as it is, fails requests */
export function severityAtInstance(
  situation: Situation,
  instanceId: string,
  isBroken: (receiver: Receiver) => boolean,
  otherwise: Severity,
): Severity {
  const { receivers, outOfService } = situation;
  const receiver = receivers.get(instanceId);
  if (!isKnown(receiver) || !isBroken(receiver)) return otherwise;
  const healthy = [...receivers].filter(
    ([id, each]) => !outOfService.has(id) && !(isKnown(each) && isBroken(each)),
  ).length;
  if (healthy === 0) return 'EVERY_REQUEST_FAILS';
  return outOfService.has(instanceId) ? 'NEXT_CHANGE_FAILS' : 'SOME_REQUESTS_FAIL';
}

/** The switched ports that connections come to: a policy outlives its listener, and then nobody is sent anything. */
export const fedPorts = ({ expected, loadBalancer }: Situation): readonly InstancePort[] =>
  expected.ports.filter(({ port }) => loadBalancer.listeners.some(({ instancePort }) => instancePort === port));

export const failsAnywhere =
  (situation: Situation) =>
  (receiver: Receiver): boolean =>
    fedPorts(situation).some(({ port }) => failsAt(receiver, port, sentTo(situation.loadBalancer, port)));
