/**
 * HAProxy's configuration for one node. Pure: what the node is set to goes in, the text of its files comes out.
 *
 *   listener-<port> ─► map: instance port → plain | proxy ─► instance-<port>-plain | instance-<port>-proxy
 *   listener-<port>, to an instance in SSL, HTTP or HTTPS ─► instance-<port>-ssl | -http | -https, whatever the policy
 *
 * The map alone decides whether a new connection begins with a PROXY line, so a policy changes with one runtime command and no
 * reload. Health is checked once for each instance, in a backend of its own without a PROXY line; the others follow it (`track`).
 * Everything here is understood by HAProxy 2.6 and 3.0.
 */
import { FILES, globalSection } from '../../nodes/haproxy-process.ts';
import type { CheckedServer, ServerHealth } from '../../nodes/server-state.ts';
import type {
  Configuration,
  HealthCheckConfiguration,
  ListenerConfiguration,
  RegisteredInstance,
} from '../data-plane.ts';

export type Kind = 'plain' | 'proxy';
/** How a connection goes to an instance; all but `proxy` begin without a line. */
type Way = Kind | 'ssl' | 'http' | 'https';

/** Paths as HAProxy sees them, which may be inside another root. */
export interface NodePaths {
  readonly directory: string;
}
export const POLICY_MAP = 'policy.map';

export const listenerName = (loadBalancerPort: number) => `listener-${loadBalancerPort}`;
const backendName = (instancePort: number, way: Way) => `instance-${instancePort}-${way}`;
/** Of connections by this backend; undefined = it leads to no instance port. */
export function kindOf(backend: string): Kind | undefined {
  const [, way] = /^instance-\d+-(plain|proxy|ssl|http|https)$/.exec(backend) ?? [];
  if (way === undefined) return undefined;
  return way === 'proxy' ? 'proxy' : 'plain';
}
export const HEALTH_BACKEND = 'health';

/** With cross-zone off a node sends to its own zone. Source: Classic guide, "Configure cross-zone load balancing". */
export function instancesOf(configuration: Configuration, availabilityZone: string): readonly RegisteredInstance[] {
  return configuration.instances.filter(
    (instance) => configuration.isCrossZone || instance.availabilityZone === availabilityZone,
  );
}

/** Those to which it makes a difference whether a PROXY policy is on them. */
export function tcpInstancePortsOf({ listeners }: Configuration): readonly number[] {
  const ports = listeners.filter(({ instanceProtocol }) => instanceProtocol === 'TCP').map((each) => each.instancePort);
  return [...new Set(ports)].sort((a, b) => a - b);
}

export function haproxyConfig(
  configuration: Configuration,
  instances: readonly RegisteredInstance[],
  { directory }: NodePaths,
): string {
  const { listeners, idleTimeoutSeconds } = configuration;
  return [
    ...globalSection(directory),
    'defaults',
    '  mode tcp',
    '  log global',
    '  load-server-state-from-file global',
    `  timeout client ${idleTimeoutSeconds}s`,
    `  timeout server ${idleTimeoutSeconds}s`,
    '  timeout connect 10s',
    // A connection that an instance refuses is the client's failure: no retry hides it.
    '  retries 0',
    ...listeners.flatMap((listener) => frontend(listener, directory)),
    ...healthBackend(configuration.healthCheck, instances),
    ...[...new Map(listeners.flatMap(backendsOf)).values()].flatMap((backend) => backend(instances)),
    '',
  ].join('\n');
}

function frontend({ loadBalancerPort, protocol, ...listener }: ListenerConfiguration, directory: string): string[] {
  const { instancePort, instanceProtocol } = listener;
  const isSecure = protocol === 'SSL' || protocol === 'HTTPS';
  const head = [
    `frontend ${listenerName(loadBalancerPort)}`,
    `  bind :${loadBalancerPort}${isSecure ? ` ssl crt ${directory}/${FILES.certificate}` : ''}`,
  ];
  switch (instanceProtocol) {
    case 'TCP':
      return [
        ...head,
        `  use_backend instance-${instancePort}-%[str(${instancePort}),map(${directory}/${POLICY_MAP},plain)]`,
      ];
    case 'SSL':
      return [...head, `  default_backend ${backendName(instancePort, 'ssl')}`];
    case 'HTTP':
    case 'HTTPS':
      return [
        ...head,
        '  mode http',
        // Source: Classic guide, "HTTP headers and Classic Load Balancers".
        '  option forwardfor',
        `  http-request set-header X-Forwarded-Proto ${isSecure ? 'https' : 'http'}`,
        `  http-request set-header X-Forwarded-Port ${loadBalancerPort}`,
        // WebSockets are for TCP and SSL listeners alone: an HTTP listener answers such a request as any other.
        '  http-request del-header Upgrade',
        `  default_backend ${backendName(instancePort, instanceProtocol === 'HTTP' ? 'http' : 'https')}`,
      ];
    default: {
      const never: never = instanceProtocol;
      throw new Error(`no such instance protocol: ${never}`);
    }
  }
}

type Backend = (instances: readonly RegisteredInstance[]) => string[];

/** By name: listeners that share an instance port share them. */
function backendsOf({ instancePort, instanceProtocol }: ListenerConfiguration): [string, Backend][] {
  const ways: readonly Way[] =
    instanceProtocol === 'TCP' ? ['plain', 'proxy'] : [instanceProtocol.toLowerCase() as 'ssl' | 'http' | 'https'];
  return ways.map((way) => [backendName(instancePort, way), (instances) => backend(instancePort, way, instances)]);
}

/** That SSL and HTTP instance protocols get no line, whatever the policy: Classic guide, "Listener configurations quick reference". */
const SERVER_OPTIONS: Readonly<Record<Way, string>> = {
  plain: '',
  proxy: ' send-proxy',
  // Any certificate will do, as for the real one without a back-end authentication policy.
  ssl: ' ssl verify none',
  http: '',
  https: ' ssl verify none',
};

function backend(instancePort: number, way: Way, instances: readonly RegisteredInstance[]): string[] {
  return [
    `backend ${backendName(instancePort, way)}`,
    ...(way === 'http' || way === 'https' ? ['  mode http'] : []),
    '  balance roundrobin',
    ...instances.map(
      ({ instanceId, privateIpAddress }) =>
        `  server ${instanceId} ${privateIpAddress}:${instancePort} track ${HEALTH_BACKEND}/${instanceId}${SERVER_OPTIONS[way]}`,
    ),
  ];
}

function healthBackend(check: HealthCheckConfiguration, instances: readonly RegisteredInstance[]): string[] {
  const [, protocol = '', port = '', path = ''] = /^(\w+):(\d+)(\/.*)?$/.exec(check.target) ?? [];
  const usesTls = /^(SSL|HTTPS)$/i.test(protocol);
  return [
    `backend ${HEALTH_BACKEND}`,
    `  timeout check ${check.timeoutSeconds}s`,
    `  timeout connect ${check.timeoutSeconds}s`,
    ...(/^HTTPS?$/i.test(protocol)
      ? [
          '  option httpchk',
          `  http-check send meth GET uri '${path}' ver HTTP/1.1 hdr Host elb hdr User-Agent ELB-HealthChecker/1.0 hdr Connection close`,
          '  http-check expect status 200',
        ]
      : []),
    ...instances.map(
      ({ instanceId, privateIpAddress }) =>
        `  server ${instanceId} ${privateIpAddress}:${port} check inter ${check.intervalSeconds}s` +
        ` fall ${check.unhealthyThreshold} rise ${check.healthyThreshold}${usesTls ? ' check-ssl verify none' : ''}`,
    ),
  ];
}

export function policyMap(inForce: ReadonlyMap<number, Kind>): string {
  return [...inForce].map(([instancePort, kind]) => `${instancePort} ${kind}\n`).join('');
}

/** Checked in a backend of their own. @param known  by instance id */
export function checkedServers(
  instances: readonly RegisteredInstance[],
  check: HealthCheckConfiguration,
  known: ReadonlyMap<string, ServerHealth>,
): CheckedServer[] {
  return instances.map(({ instanceId, privateIpAddress }) => ({
    backend: HEALTH_BACKEND,
    name: instanceId,
    address: privateIpAddress,
    port: Number(/:(\d+)/.exec(check.target)?.[1] ?? 0),
    rise: check.healthyThreshold,
    fall: check.unhealthyThreshold,
    health: known.get(instanceId) ?? { isUp: false, count: 0 },
  }));
}
