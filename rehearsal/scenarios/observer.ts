/** Looks at the fleet while a scenario runs: for the live picture once a second, and for the report's timeline. */
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import type { Environment } from '../environment.ts';
import { type Fleet, LOAD_BALANCER } from '../fleet.ts';
import type { InstanceState, LiveSnapshot, NodeState, RunbookState, StackEvent } from '../report/live-view.ts';
import type { Timeline } from '../report/result.ts';
import { RECEIVER_MODES, type ReceiverMode } from '../traffic/client-address.ts';
import type { TrafficSnapshot } from '../traffic/counts.ts';
import { modeMet } from './receiver-mode.ts';
import { stackEvents } from './stack.ts';

/** Steps that a watcher follows; the others are decisions between them and ways out. */
const SHOWN_STEPS = [
  'Begin',
  'Plan',
  'PrepareReceivers',
  'SetPolicies',
  'MeasureReceivers',
  'Judge',
  'Conclude',
  'SettleReceivers',
  'Finish',
];

const STEP_STATUS: Readonly<Record<string, RunbookState['steps'][number]['status']>> = {
  InProgress: 'running',
  Success: 'done',
  Failed: 'failed',
  TimedOut: 'failed',
  Cancelled: 'failed',
};

export class Observer {
  readonly #environment: Environment;
  readonly #fleet: Fleet;
  readonly #title: string;
  readonly #idleNodes: readonly string[];
  readonly #startMs = Date.now();
  readonly #steps = new Map<string, RunbookState['steps'][number]['status']>();
  readonly #history: { atMs: number[]; newConnections: number[]; failures: number[]; phases: string[] } = {
    atMs: [],
    newConnections: [],
    failures: [],
    phases: [],
  };
  readonly #modes = new Map<string, { atMs: number; mode: ReceiverMode }[]>();
  readonly #policies = new Map<string, { atMs: number; instancePort: number; hasPolicy: boolean }[]>();
  readonly #unsubscribe: () => void;
  #trafficStartMs = Date.now();
  #lastSecond = 0;

  /** @param idleNodes  addresses of nodes that the load balancer's name does not resolve to */
  constructor(environment: Environment, fleet: Fleet, title: string, idleNodes: readonly string[]) {
    this.#environment = environment;
    this.#fleet = fleet;
    this.#title = title;
    this.#idleNodes = idleNodes;
    this.#unsubscribe = environment.ssm.subscribe((event) => {
      if (event.type === 'execution' && event.status === 'Pending') this.#steps.clear();
      if (event.type === 'step') this.#steps.set(event.stepName, STEP_STATUS[event.status] ?? 'waiting');
    });
  }

  close(): void {
    this.#unsubscribe();
  }

  async look(traffic: TrafficSnapshot | undefined): Promise<LiveSnapshot> {
    if (traffic !== undefined) this.#trafficStartMs = traffic.atMs - traffic.elapsedMs;
    const instances = await this.#instances();
    const nodes = await this.#nodes();
    if (traffic !== undefined && traffic.atMs !== this.#lastSecond) {
      this.#lastSecond = traffic.atMs;
      this.#history.newConnections.push(traffic.rates.newConnections);
      this.#history.failures.push(traffic.rates.failed);
      this.#history.phases.push(traffic.phase);
      this.#history.atMs.push(this.#sinceTraffic());
    }
    const events = await stackEvents(this.#environment);
    return {
      title: this.#title,
      elapsedMs: Date.now() - this.#startMs,
      phase: traffic?.phase ?? 'starting',
      nodes,
      instances,
      history: this.#history,
      timeline: this.timeline(),
      events: events.map(
        ({ Timestamp, LogicalResourceId = '', ResourceStatus = '', ResourceStatusReason }): StackEvent => ({
          atMs: (Timestamp?.getTime() ?? 0) - this.#startMs,
          resource: LogicalResourceId,
          status: ResourceStatus,
          ...(ResourceStatusReason === undefined ? {} : { reason: ResourceStatusReason }),
        }),
      ),
      ...(traffic === undefined ? {} : { traffic }),
      ...(this.#steps.size === 0 ? {} : { runbook: await this.#runbook() }),
    };
  }

  timeline(): Timeline {
    const changes = <T>(map: Map<string, T[]>): [string, T[]][] =>
      [...map.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      instances: changes(this.#modes).map(([name, each]) => ({ name, changes: each })),
      nodes: changes(this.#policies).map(([address, each]) => ({ address, changes: each })),
    };
  }

  async #runbook(): Promise<RunbookState> {
    const waitingFor = this.#steps.get('Judge') === 'running' ? await this.#remaining() : undefined;
    return {
      steps: SHOWN_STEPS.map((name) => ({ name, status: this.#steps.get(name) ?? 'waiting' })),
      ...(waitingFor ? { waitingFor } : {}),
    };
  }

  /** What measuring still misses, as a person finds it in the switch's own parameter. */
  async #remaining(): Promise<string | undefined> {
    try {
      const { Parameter } = await this.#environment.clients.ssm.send(
        new GetParameterCommand({ Name: `/proxyflip/${LOAD_BALANCER}` }),
      );
      return JSON.parse(Parameter?.Value ?? '{}').remaining;
    } catch (error) {
      if ((error as Error).name === 'ParameterNotFound') return undefined;
      throw error;
    }
  }

  async #instances(): Promise<InstanceState[]> {
    const health = this.#isThere ? await this.#environment.dataPlane.health(LOAD_BALANCER) : new Map();
    return this.#fleet.instances.map((instance) => {
      const mode = instance.machine.isRunning() ? modeMet(instance) : 'away';
      const known = RECEIVER_MODES.find((each) => each === mode);
      if (known !== undefined) {
        const change = { atMs: this.#sinceTraffic(), mode: known };
        note(
          this.#modes,
          instance.machine.name,
          change,
          () => true,
          (last) => last.mode !== known,
        );
      }
      return {
        name: instance.machine.name,
        address: instance.privateIpAddress,
        mode,
        isInService: health.get(instance.instanceId)?.state === 'InService',
      };
    });
  }

  /** A scenario may delete it. */
  get #isThere(): boolean {
    return this.#environment.elb.loadBalancers.has(LOAD_BALANCER);
  }

  async #nodes(): Promise<NodeState[]> {
    if (!this.#isThere) return [];
    const { backendPolicies } = this.#environment.elb.loadBalancers.get(LOAD_BALANCER);
    const nodes = await this.#environment.dataPlane.nodes(LOAD_BALANCER);
    return nodes.map((node) => ({
      address: node.address,
      isInDns: !this.#idleNodes.includes(node.address),
      ports: Object.entries(node.policyInForce).map(([port, kind]) => {
        const instancePort = Number(port);
        const hasPolicy = kind === 'proxy';
        const wanted = backendPolicies.has(instancePort);
        const change = { atMs: this.#sinceTraffic(), instancePort, hasPolicy };
        note(
          this.#policies,
          node.address,
          change,
          (each) => each.instancePort === instancePort,
          (last) => last.hasPolicy !== hasPolicy,
        );
        if (wanted === hasPolicy) return { instancePort, policy: hasPolicy ? 'on' : 'off' };
        return { instancePort, policy: wanted ? 'setting' : 'clearing' };
      }),
    }));
  }

  #sinceTraffic(): number {
    return Date.now() - this.#trafficStartMs;
  }
}

/** Append where it is news: where the last change that is about the same thing says otherwise. */
function note<T>(
  map: Map<string, T[]>,
  key: string,
  change: T,
  isSameThing: (each: T) => boolean,
  isNews: (last: T) => boolean,
): void {
  const changes = map.get(key) ?? [];
  map.set(key, changes);
  const last = changes.filter(isSameThing).at(-1);
  if (last === undefined || isNews(last)) changes.push(change);
}
