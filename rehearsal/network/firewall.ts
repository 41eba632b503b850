/**
 * Security groups, enforced where no machine can take them away: on the bridge, in a namespace that none of them is in.
 *
 * What lets in decides about the first packet of a TCP connection; what belongs to a connection that is there passes, as with AWS's
 * connection tracking. What lets out, UDP and ICMP are not enforced, nor is anything for a host without a group.
 */
import { runCommand } from '../host/run-command.ts';
import { InOrder } from '../in-order.ts';
import type { SecurityGroup, World } from '../world.ts';
import type { Fabric } from './fabric.ts';

const TABLE = 'security_groups';

interface Host {
  readonly address: string;
  readonly groupIds: readonly string[];
}

/** A ruleset for `nft -f`, which takes it whole or not at all; '' where no host has a group. */
export function firewallRules(hosts: readonly Host[], groups: ReadonlyMap<string, SecurityGroup>): string {
  const guarded = hosts.filter(({ groupIds }) => groupIds.length > 0);
  if (guarded.length === 0) return '';
  const addressesOf = (groupId: string): string[] =>
    guarded.filter(({ groupIds }) => groupIds.includes(groupId)).map(({ address }) => address);
  const rulesOf = ({ groupIds }: Host): string[] =>
    groupIds
      .flatMap((id) => groups.get(id)?.ingress ?? [])
      .flatMap(({ protocol, ports, peer }) => {
        if (protocol !== 'tcp' && protocol !== '-1') return [];
        const sources = 'cidr' in peer ? [peer.cidr] : addressesOf(peer.groupId);
        if (sources.length === 0) return [];
        // nft takes no length 0 in a set.
        const from = sources.includes('0.0.0.0/0') ? '' : `ip saddr { ${sources.join(', ')} } `;
        return [`${from}${ports === undefined ? '' : `tcp dport ${ports[0]}-${ports[1]} `}accept`];
      });
  const chainOf = ({ address }: Host): string => `to_${address.replaceAll('.', '_')}`;
  const chains = guarded.map(
    (host) => `  chain ${chainOf(host)} {\n    ${[...rulesOf(host), 'drop'].join('\n    ')}\n  }`,
  );
  const map = guarded.map((host) => `${host.address} : jump ${chainOf(host)}`).join(', ');
  return `table bridge ${TABLE} {
${chains.join('\n')}
  chain forward {
    type filter hook forward priority 0; policy accept;
    tcp flags & (syn | ack) == syn ip daddr vmap { ${map} }
  }
}
`;
}

/** Keeps the bridge's rules what the world's security groups say. */
export class Firewall {
  readonly #world: World;
  readonly #fabric: Pick<Fabric, 'namespace'>;
  #loaded = '';
  readonly #loads = new InOrder();

  constructor(world: World, fabric: Pick<Fabric, 'namespace'>) {
    this.#world = world;
    this.#fabric = fabric;
  }

  /** Resolves when the rules hold for new connections. */
  update(): Promise<void> {
    return this.#loads.run(() => this.#load());
  }

  async #load(): Promise<void> {
    const { instances, networkInterfaces, securityGroups } = this.#world;
    const hosts: Host[] = [
      ...[...instances.values()].map(({ privateIpAddress, launch }) => ({
        address: privateIpAddress,
        groupIds: launch?.securityGroupIds ?? [],
      })),
      ...[...networkInterfaces.values()].map(({ privateIpAddress, securityGroupIds = [] }) => ({
        address: privateIpAddress,
        groupIds: securityGroupIds,
      })),
    ];
    const rules = firewallRules(hosts, securityGroups);
    if (rules === this.#loaded) return;
    // Deleting what is not there is an error, so it is added first.
    const reset = `add table bridge ${TABLE}\ndelete table bridge ${TABLE}\n`;
    await runCommand(['ip', 'netns', 'exec', this.#fabric.namespace, 'nft', '-f', '-'], reset + rules);
    this.#loaded = rules;
  }
}
