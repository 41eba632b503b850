/** `npm run rehearse -- switch`: one switch under traffic, or several, counted, and over. */
import { LOAD_BALANCER } from '../fleet.ts';
import type { Required } from '../report/result.ts';
import { judged, type Play, type Stage } from './judged.ts';
import { launchDuring } from './launch-during.ts';
import type { ScenarioOptions } from './options.ts';
import { cycle, enableByStack, switchLoadBalancerFirst, switchNginxFirst } from './orders.ts';

export function switchScenario(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  return judged(options, interrupted, (stage) => switching(stage, required(options)));
}

/** What a run has to have seen depends on how long it was asked to be. */
function required({ cycles, webSockets, launchDuring }: ScenarioOptions): Partial<Required> {
  return {
    newConnections: cycles >= 5 ? 100_000 : 1_000,
    webSockets,
    watched: ['nginx', 'HAProxy', 'chat', 'clients', 'the rehearsal'],
    ...(launchDuring && { resentAtMost: RESENT_BY_REPLACEMENT * Math.max(1, 2 * cycles) }),
  };
}

/** In each switch: an instance that is ended closes its idle connections, beside what the reloads of all close (seen: 35 in ten switches). */
const RESENT_BY_REPLACEMENT = 5;

/** The switch as a scenario: in the order that was asked for, once or several times. */
export function switching({ environment, fleet, options, interrupted }: Stage, required: Partial<Required>): Play {
  return {
    title: title(options),
    required,
    async play(traffic) {
      switch (options.order) {
        case 'runbook': {
          const script = () => (options.cycles === 0 ? enableByStack : cycle)(environment, fleet, options, interrupted);
          return options.launchDuring ? launchDuring(environment, fleet, script) : script();
        }
        case 'elb-first':
          await switchLoadBalancerFirst(environment, fleet, traffic, interrupted);
          return 'NONE';
        case 'nginx-first':
          await switchNginxFirst(environment, fleet, traffic, interrupted);
          return 'NONE';
        default: {
          const never: never = options.order;
          throw new Error(`no such order: ${never}`);
        }
      }
    },
  };
}

function title({ order, cycles }: ScenarioOptions): string {
  if (order === 'elb-first') return `${LOAD_BALANCER}: the load balancer first, then nginx`;
  if (order === 'nginx-first') return `${LOAD_BALANCER}: nginx first, then the load balancer`;
  if (cycles > 0) return `${LOAD_BALANCER}: PROXY protocol on and off, ${cycles} times`;
  return `${LOAD_BALANCER}: PROXY protocol on, by a CloudFormation stack`;
}
