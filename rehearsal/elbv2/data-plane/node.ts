/** One node of an Application Load Balancer: an HAProxy in HTTP mode. Every change of it is a reload. */
import { InOrder } from '../../in-order.ts';
import type { Certificate } from '../../nodes/certificate.ts';
import { type CheckedHealth, FILES, type HaproxyLocation, HaproxyProcess } from '../../nodes/haproxy-process.ts';
import type { NodePlace } from '../../nodes/node-places.ts';
import { serverState } from '../../nodes/server-state.ts';
import type { Configuration, Target, TargetGroupConfiguration } from '../data-plane.ts';
import {
  backendsOf,
  checkedServers,
  HEALTH_PREFIX,
  haproxyConfig,
  healthBackend,
  listenerName,
  serverName,
} from './haproxy-config.ts';

export class Node {
  readonly place: NodePlace;
  readonly #certificate: Certificate;
  readonly #haproxy: HaproxyProcess;
  #configuration: Configuration;
  /** Changes of one node come one after another. */
  readonly #changes = new InOrder();

  constructor(place: NodePlace, haproxy: HaproxyLocation, certificate: Certificate, configuration: Configuration) {
    const { address, host, directory } = place;
    this.place = place;
    this.#certificate = certificate;
    this.#haproxy = new HaproxyProcess({ name: `node ${address}`, host, directory, haproxy });
    this.#configuration = configuration;
  }

  get isRunning(): boolean {
    return this.#haproxy.isRunning;
  }

  /** Resolves when it takes connections. */
  start(): Promise<void> {
    return this.#changes.run(async () => {
      if (this.isRunning) return;
      const { certificatePem, privateKeyPem } = this.#certificate;
      await this.#haproxy.write(FILES.certificate, certificatePem + privateKeyPem);
      await this.#writeFiles([]);
      await this.#haproxy.start();
    });
  }

  /** As a node that dies. */
  stop(): Promise<void> {
    return this.#haproxy.kill();
  }

  /** Resolves when new requests are under it. */
  apply(configuration: Configuration): Promise<void> {
    return this.#changes.run(async () => {
      const before = this.#configuration;
      const known = (await this.health()).filter(({ backend }) => isCheckedAlike(backend, before, configuration));
      this.#configuration = configuration;
      if (!this.isRunning) return;
      for (const { group, target } of targetsOf(before)) {
        if (!has(configuration, group, target)) await this.#haproxy.retire(backendsOf(group.arn), serverName(target));
      }
      await this.#writeFiles(known);
      await this.#haproxy.reload();
    });
  }

  /** Of the health backends; empty while it does not run. */
  health(): Promise<readonly CheckedHealth[]> {
    return this.#haproxy.health(HEALTH_PREFIX);
  }

  connectionsTo(targetGroupArn: string, target: Pick<Target, 'instanceId' | 'port'>): Promise<number> {
    return this.#haproxy.connectionsTo(backendsOf(targetGroupArn), serverName(target));
  }

  async endConnectionsTo(targetGroupArn: string, target: Pick<Target, 'instanceId' | 'port'>): Promise<void> {
    for (const backend of backendsOf(targetGroupArn)) {
      await this.#haproxy.endSessions(`be=${backend}`, `srv=${serverName(target)}`);
    }
  }

  endConnectionsOf(listenerPort: number): Promise<void> {
    return this.#haproxy.endSessions(`fe=${listenerName(listenerPort)}`);
  }

  async #writeFiles(known: readonly CheckedHealth[]): Promise<void> {
    const health = new Map(known.map((each) => [`${each.backend}/${each.server}`, each]));
    await this.#haproxy.write(FILES.config, haproxyConfig(this.#configuration, this.#haproxy.inside));
    await this.#haproxy.write(FILES.serverState, serverState(checkedServers(this.#configuration.targetGroups, health)));
  }
}

const targetsOf = ({ targetGroups }: Configuration) =>
  targetGroups.flatMap((group) => group.targets.map((target) => ({ group, target })));

const has = (configuration: Configuration, group: TargetGroupConfiguration, target: Target): boolean =>
  targetsOf(configuration).some(
    (each) => each.group.arn === group.arn && serverName(each.target) === serverName(target),
  );

/** What is known holds on where the same is asked: another port, path or set of codes starts the evaluation again. */
function isCheckedAlike(backend: string, before: Configuration, after: Configuration): boolean {
  const asked = ({ targetGroups }: Configuration): string | undefined => {
    const group = targetGroups.find(({ arn }) => healthBackend(arn) === backend);
    if (group === undefined) return undefined;
    const { protocol, port, path, codes } = group.healthCheck;
    return JSON.stringify([protocol, port, path, codes]);
  };
  return asked(before) === asked(after);
}
