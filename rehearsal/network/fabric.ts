/**
 * The rehearsal's own network: one bridge in a network namespace of its own, and a namespace on it for each host.
 *
 * Nothing of it is in the host's network: no interface, no address, no route, no rule. So the host's firewall and
 * forwarding do not matter, and addresses can be the ones that documentation uses. The control process on the host and
 * the network talk through unix sockets, which cross network namespaces (`gateway.ts`).
 *
 *   10.0.0.0/16       the VPC: .0.2 the gateway, 10.0.1.x and 10.0.2.x instances, 10.0.101.x and 10.0.102.x nodes
 *   198.51.100.0/24   clients on the internet (RFC 5737)
 */
export const ADDRESSES = {
  gateway: '10.0.0.2',
  /** Nothing but the rehearsal's package proxy listens here; machines in the bare image install through it. */
  packageProxyPort: 3128,
  /** The rehearsal's S3, as machines reach it. */
  s3Port: 80,
  instance: (index: number): string => `10.0.${(index % 2) + 1}.${11 + Math.floor(index / 2)}`,
  node: (index: number): string => `10.0.${101 + (index % 2)}.${21 + Math.floor(index / 2)}`,
  client: (index: number): string => `198.51.100.${10 + index}`,
} as const;

/** One host on the bridge: a network namespace with one interface, `host0`. */
export interface NetworkHost {
  /** The namespace's name, for `ip netns exec`, and its path, for systemd-nspawn. */
  readonly namespace: string;
  readonly path: string;
  readonly addresses: readonly string[];
}

export interface Fabric {
  /** Unique to this run; the prefix of everything that it makes. */
  readonly runId: string;
  addHost(name: string, addresses: readonly string[]): Promise<NetworkHost>;
  removeHost(name: string): Promise<void>;
}
