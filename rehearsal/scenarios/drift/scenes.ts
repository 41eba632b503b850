/**
 * Which ways are taken together, and in which order: each run of the switch takes a quarter of a minute, and so does each look. What is
 * in one scene is done to different ports and instances, or to different things of one, and shows in findings of its own.
 */
import { KINDS, type Kind } from '../../../functions/drift-check/kinds.ts';
import { RehearsalError } from '../../host/rehearsal-error.ts';
import { loadBalancerWays } from './ways/load-balancer.ts';
import { receiverWays } from './ways/receivers.ts';
import { switchWays } from './ways/switch.ts';
import { trafficWays } from './ways/traffic.ts';
import type { Cast, Way } from './ways/way.ts';

const SCENES: readonly (readonly Kind[])[] = [
  // First: for a minute after a mend the check puts what nginx drops down to nodes that have not followed.
  ['proxy-lines-refused', 'broken-headers', 'other-load-balancer'],
  ['policy-missing', 'policy-wrong-attribute', 'policy-unexpected', 'policy-without-listener', 'listener-added'],
  ['listener-scheme', 'policy-foreign', 'receiver-files', 'haproxy-down', 'chat-not-ready'],
  ['listener-removed', 'policy-doubled', 'receiver-settings', 'rule-left'],
  ['receiver-missing', 'receiver-mode'],
  ['receiver-not-ready', 'nginx-down'],
  ['rule-missing', 'both-too-long'],
  // The health check last: ten seconds later nobody is in service.
  ['suppression-unreadable', 'listener-protocol', 'instance-shared', 'health-check'],
  ['receiver-unreachable'],
  ['load-balancer-deleted'],
  ['switch-unfinished'],
];

/** What remediation comes to, after the scenes. */
export const FOUGHT_OVER: Kind = 'fought-over';

/** @param only  the kinds that are wanted; undefined = all @throws RehearsalError ERR_USAGE  one that there is not */
export function chosenKinds(only: readonly string[] | undefined): ReadonlySet<Kind> {
  const kinds = [...SCENES.flat(), FOUGHT_OVER];
  const unknown = (only ?? []).filter((each) => !kinds.some((kind) => kind === each));
  if (unknown.length > 0) {
    throw new RehearsalError('ERR_USAGE', `--only names ${unknown.join(', ')}`, `the kinds are ${kinds.join(', ')}`);
  }
  return new Set(kinds.filter((kind) => only?.includes(kind) ?? true));
}

export type Scene = readonly Way[];

/** Without those that nothing is left of. */
export function scenes(cast: Cast, chosen: ReadonlySet<Kind> = new Set(Object.keys(KINDS) as Kind[])): Scene[] {
  const ways = [...loadBalancerWays(cast), ...receiverWays(cast), ...trafficWays(cast), ...switchWays(cast)];
  return SCENES.map((kinds) =>
    kinds.filter((kind) => chosen.has(kind)).flatMap((kind) => ways.filter((way) => way.kind === kind)),
  ).filter((scene) => scene.length > 0);
}
