/**
 * The rehearsal's own network: one bridge in a network namespace of its own, and a namespace on it for each host.
 *
 * Nothing of it is in the host's network: no interface, no address, no route, no rule. So the host's firewall and
 * forwarding do not matter, and addresses can be the ones that documentation uses. The control process on the host and
 * the network talk through unix sockets, which cross network namespaces (`gateway.ts`).
 *
 *   10.0.0.0/16       the VPC: .0.2 the gateway, 10.0.1.x and 10.0.2.x instances, 10.0.101.x and 10.0.102.x nodes
 *   198.51.100.0/24   clients on the internet, and 203.0.113.0/24 (RFC 5737)
 */
import { runCommand } from '../host/run-command.ts';

export const ADDRESSES = {
  gateway: '10.0.0.2',
  /** Nothing but the rehearsal's package proxy listens here; machines of the bare image install through it. */
  packageProxyPort: 3128,
  /** The rehearsal's S3, as machines reach it: without TLS, and under its own name with it. */
  s3Port: 80,
  s3TlsPort: 443,
  /** Where every instance finds the metadata service. */
  metadata: '169.254.169.254',
  instance: (index: number): string => `10.0.${(index % 2) + 1}.${11 + Math.floor(index / 2)}`,
  node: (index: number): string => `10.0.${101 + (index % 2)}.${21 + Math.floor(index / 2)}`,
  client: (index: number): string => `198.51.100.${10 + index}`,
} as const;

/** One host on the bridge: a network namespace with one interface, `host0`. */
export interface NetworkHost {
  /** The namespace's name, for `ip netns exec`, and its path, for systemd-nspawn and nsenter. */
  readonly namespace: string;
  readonly path: string;
  readonly addresses: readonly string[];
}

export interface Fabric {
  /** Unique to this run; the prefix `pf<runId>-` marks all its namespaces. */
  readonly runId: string;
  /** The namespace of the bridge itself, where the gateway listens. */
  readonly namespace: string;
  addHost(name: string, addresses: readonly string[]): Promise<NetworkHost>;
  removeHost(name: string): Promise<void>;
}

/** Every host is on one link, so that no host needs a route: the VPC and the internet are both "local" to it. */
const LINKS = ['10.0.0.0/16', '198.51.100.0/24', '203.0.113.0/24'];

/** The run's directory removes the namespaces, also after a crash: there is nothing to dispose of here. */
export async function createFabric(runId: string): Promise<Fabric> {
  const bridge = `pf${runId}-net`;
  await addNamespace(bridge);
  await ipBatch(bridge, [
    'link add br0 type bridge',
    'link set br0 up',
    `address add ${ADDRESSES.gateway}/32 dev br0`,
    `address add ${ADDRESSES.metadata}/32 dev br0`,
    ...LINKS.map((link) => `route add ${link} dev br0`),
  ]);

  let links = 0;
  return {
    runId,
    namespace: bridge,
    async addHost(name, addresses) {
      const namespace = `pf${runId}-${name}`;
      const port = `port${links++}`;
      await addNamespace(namespace);
      await runCommand([
        'ip',
        '-n',
        bridge,
        'link',
        'add',
        port,
        'type',
        'veth',
        'peer',
        'name',
        'host0',
        'netns',
        namespace,
      ]);
      await ipBatch(bridge, [`link set ${port} master br0 up`]);
      await ipBatch(namespace, [
        'link set host0 up',
        ...addresses.map((address) => `address add ${address}/32 dev host0`),
        ...[...LINKS, `${ADDRESSES.metadata}/32`].map((link) => `route add ${link} dev host0 src ${addresses[0]}`),
      ]);
      return { namespace, path: `/run/netns/${namespace}`, addresses };
    },
    async removeHost(name) {
      await runCommand(['ip', 'netns', 'delete', `pf${runId}-${name}`]);
    },
  };
}

/**
 * Of connections that begin in a namespace: above every port that something in the rehearsal listens on. From 1024 on, a health check of
 * a node could have 8084 for its own port when a listener of that port was made, and HAProxy could not bind it.
 */
const SOURCE_PORTS = '10000 65000';

async function addNamespace(namespace: string): Promise<void> {
  await runCommand(['ip', 'netns', 'add', namespace]);
  // Thousands of short connections from few addresses, all inside one machine: what several client machines would have
  // by being several has to come from a wider range of ports and the re-use of those in TIME_WAIT. tcp_tw_reuse = 1
  // concerns outgoing connections alone and is safe with time stamps (ip-sysctl.txt).
  await runCommand([
    'ip',
    'netns',
    'exec',
    namespace,
    'sh',
    '-c',
    `ip link set lo up && echo ${SOURCE_PORTS} >/proc/sys/net/ipv4/ip_local_port_range && echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse && echo 4096 >/proc/sys/net/core/somaxconn`,
  ]);
}

async function ipBatch(namespace: string, lines: readonly string[]): Promise<void> {
  await runCommand(['ip', '-n', namespace, '-batch', '-'], lines.join('\n'));
}
