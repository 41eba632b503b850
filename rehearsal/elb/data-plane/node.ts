/**
 * One node of a Classic Load Balancer: an HAProxy, and what it has of the policies.
 *
 * Listeners, instances and health checks change by a reload, the PROXY policy by one runtime command.
 */
import { InOrder } from '../../in-order.ts';
import type { Certificate } from '../../nodes/certificate.ts';
import type { Row } from '../../nodes/haproxy-master.ts';
import { type CheckedHealth, FILES, type HaproxyLocation, HaproxyProcess } from '../../nodes/haproxy-process.ts';
import type { NodePlace } from '../../nodes/node-places.ts';
import { serverState } from '../../nodes/server-state.ts';
import type { Configuration } from '../data-plane.ts';
import {
  checkedServers,
  HEALTH_BACKEND,
  haproxyConfig,
  instancesOf,
  type Kind,
  kindOf,
  listenerName,
  POLICY_MAP,
  policyMap,
  tcpInstancePortsOf,
} from './haproxy-config.ts';

export interface NodeView {
  readonly address: string;
  readonly networkInterfaceId: string;
  readonly subnetId: string;
  readonly isRunning: boolean;
  /** What a new connection to each instance port begins with, as this node has it now. */
  readonly policyInForce: Readonly<Record<number, Kind>>;
  /** When this node last changed a port's policy; milliseconds since the epoch. */
  readonly policyChangedAt: Readonly<Record<number, number>>;
  /** Connections that are open, and all since the node first started, by kind. */
  readonly openConnections: Readonly<Record<Kind, number>>;
  readonly totalConnections: Readonly<Record<Kind, number>>;
}

export class Node {
  readonly place: NodePlace;
  readonly #certificate: Certificate;
  readonly #haproxy: HaproxyProcess;
  readonly #inForce = new Map<number, Kind>();
  readonly #changedAt = new Map<number, number>();
  /** Connections counted by workers that have gone, and what the living ones said last: a reload starts at 0 again. */
  readonly #counted = new Map<number, Record<Kind, number>>();
  #gone: Record<Kind, number> = { plain: 0, proxy: 0 };
  #configuration: Configuration;
  /** Changes of one node come one after another: a policy must not fall between reading and loading the map. */
  readonly #changes = new InOrder();

  /** A new node begins with the policies as they are set now. */
  constructor(place: NodePlace, haproxy: HaproxyLocation, certificate: Certificate, configuration: Configuration) {
    const { address, host, directory } = place;
    this.place = place;
    this.#certificate = certificate;
    this.#haproxy = new HaproxyProcess({ name: `node ${address}`, host, directory, haproxy });
    this.#configuration = configuration;
    for (const port of configuration.proxyPorts) this.#inForce.set(port, 'proxy');
  }

  get isRunning(): boolean {
    return this.#haproxy.isRunning;
  }

  policyInForce(instancePort: number): Kind {
    return this.#inForce.get(instancePort) ?? 'plain';
  }

  /** Resolves when it takes connections. */
  start(): Promise<void> {
    return this.#changes.run(async () => {
      if (this.isRunning) return;
      const { certificatePem, privateKeyPem } = this.#certificate;
      await this.#haproxy.write(FILES.certificate, certificatePem + privateKeyPem);
      await this.#writeFiles(new Map());
      await this.#haproxy.start();
    });
  }

  /** As a node that dies: every connection through it ends, and nothing answers at its address. */
  async stop(): Promise<void> {
    await this.view().catch(() => {}); // counts what it has carried
    await this.#haproxy.kill();
    this.#foldCounts([]);
  }

  /** Resolves when new connections are under it. The proxyPorts in it are not taken over: see `setPolicy`. */
  apply(configuration: Configuration): Promise<void> {
    return this.#changes.run(async () => {
      // Evaluation starts again with another target. Source: deis/deis#5036.
      const known =
        configuration.healthCheck.target === this.#configuration.healthCheck.target ? await this.health() : new Map();
      this.#configuration = configuration;
      if (!this.isRunning) return;
      await this.view(); // counts what the present worker has carried
      await this.#writeFiles(known);
      await this.#haproxy.reload();
    });
  }

  /** New connections alone see it; nothing is reloaded. */
  setPolicy(instancePort: number, kind: Kind): Promise<void> {
    return this.#changes.run(async () => {
      this.#inForce.set(instancePort, kind);
      this.#changedAt.set(instancePort, Date.now());
      if (!this.isRunning) return;
      // First the file, which a later reload reads; a port without a listener is in no loaded map yet.
      await this.#haproxy.write(POLICY_MAP, policyMap(this.#mapContent()));
      if (!tcpInstancePortsOf(this.#configuration).includes(instancePort)) return;
      const answer = await this.#haproxy.ask(`set map ${this.#haproxy.inside}/${POLICY_MAP} ${instancePort} ${kind}`);
      if (answer.trim() !== '')
        throw new Error(`HAProxy did not take the policy of port ${instancePort}: ${answer.trim()}`);
    });
  }

  /** By instance id. Only instances that this node sends to; empty while it does not run. */
  async health(): Promise<ReadonlyMap<string, CheckedHealth>> {
    return new Map((await this.#haproxy.health(HEALTH_BACKEND)).map((each) => [each.server, each]));
  }

  /** End what is still carried to an instance that may no longer be sent to. */
  endConnectionsTo(instanceId: string): Promise<void> {
    return this.#haproxy.endSessions(`srv=${instanceId}`);
  }

  /** End what is still carried of a listener that is gone. */
  endConnectionsOf(loadBalancerPort: number): Promise<void> {
    return this.#haproxy.endSessions(`fe=${listenerName(loadBalancerPort)}`);
  }

  async view(): Promise<NodeView> {
    const openConnections: Record<Kind, number> = { plain: 0, proxy: 0 };
    const statistics = await this.#haproxy.backendStatistics();
    for (const [worker, rows] of statistics) {
      const total = { plain: sum(rows, 'plain', 'stot'), proxy: sum(rows, 'proxy', 'stot') };
      openConnections.plain += sum(rows, 'plain', 'scur');
      openConnections.proxy += sum(rows, 'proxy', 'scur');
      this.#counted.set(worker, total);
    }
    this.#foldCounts([...statistics.keys()]);
    const totalConnections = { ...this.#gone };
    for (const { plain, proxy } of this.#counted.values()) {
      totalConnections.plain += plain;
      totalConnections.proxy += proxy;
    }
    return {
      address: this.place.address,
      networkInterfaceId: this.place.networkInterface.networkInterfaceId,
      subnetId: this.place.subnet.subnetId,
      isRunning: this.isRunning,
      policyInForce: Object.fromEntries(this.#mapContent()),
      policyChangedAt: Object.fromEntries(this.#changedAt),
      openConnections,
      totalConnections,
    };
  }

  /** Counts of workers that have ended are kept apart, since their process ids may come again. */
  #foldCounts(living: readonly number[]): void {
    for (const [worker, counts] of this.#counted) {
      if (living.includes(worker)) continue;
      this.#gone = { plain: this.#gone.plain + counts.plain, proxy: this.#gone.proxy + counts.proxy };
      this.#counted.delete(worker);
    }
  }

  #mapContent(): Map<number, Kind> {
    const ports = [...tcpInstancePortsOf(this.#configuration), ...this.#inForce.keys()].sort((a, b) => a - b);
    return new Map(ports.map((port) => [port, this.policyInForce(port)]));
  }

  async #writeFiles(known: ReadonlyMap<string, CheckedHealth>): Promise<void> {
    const instances = instancesOf(this.#configuration, this.place.subnet.availabilityZone);
    const directory = this.#haproxy.inside;
    await this.#haproxy.write(FILES.config, haproxyConfig(this.#configuration, instances, { directory }));
    const servers = checkedServers(instances, this.#configuration.healthCheck, known);
    await this.#haproxy.write(FILES.serverState, serverState(servers));
    await this.#haproxy.write(POLICY_MAP, policyMap(this.#mapContent()));
  }
}

function sum(rows: readonly Row[], kind: Kind, column: 'scur' | 'stot'): number {
  return rows
    .filter(({ pxname = '' }) => kindOf(pxname) === kind)
    .reduce((total, row) => total + Number(row[column] ?? 0), 0);
}
