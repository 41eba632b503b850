/**
 * What must be so before anything is changed. Each gate answers the refusals that it found: all are told at once, since a
 * person who mends one thing at a time starts the runbook five times.
 */
import { ProxyflipError } from '../shared/errors.ts';
import { isOn, POLICY_NAME, type Policies } from '../shared/policies.ts';
import type { InstancePort } from '../shared/ports.ts';
import type { LoadBalancer } from './classic-elb.ts';
import type { Fleet } from './fleet.ts';
import type { ScalingGroup } from './launch-hooks.ts';

export class GateError extends ProxyflipError {}

/** Throws what was found, if anything; several in one message, each with its own code. */
export function refuse(found: readonly ProxyflipError[]): void {
  const [first, ...others] = found;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  throw new GateError(
    'ERR_REFUSED',
    `${found.length} things stand in the way, and nothing was changed.\n${found.map((each) => `- ${each.message}`).join('\n')}`,
  );
}

/**
 * The PROXY line is written where the load balancer speaks TCP to the instance, and only there: "Does not support the proxy
 * protocol header" (Classic guide, "Listener configurations quick reference", HTTP and SSL back ends). The API takes the policy
 * silently all the same. Two listeners may share an instance port, and the policy is the port's.
 */
export function checkInstanceProtocols(loadBalancer: LoadBalancer, ports: readonly InstancePort[]): GateError[] {
  return ports.flatMap(({ port }) =>
    loadBalancer.listeners
      .filter((listener) => listener.instancePort === port && listener.instanceProtocol !== 'TCP')
      .map((listener) => {
        const why =
          listener.instanceProtocol === 'SSL'
            ? 'the load balancer would write the PROXY line inside TLS, where no receiver looks for it'
            : `the load balancer writes no PROXY line to ${listener.instanceProtocol} instance ports, and a strict receiver would drop its connections`;
        return new GateError(
          'ERR_INSTANCE_PROTOCOL',
          `listener ${listener.loadBalancerPort} speaks ${listener.instanceProtocol} to instance port ${port}: ${why}. Give it an instance port of its own, or instance protocol TCP; or name ${port} in ExcludePorts.`,
        );
      }),
  );
}

/**
 * HTTP, HTTPS and SSL health checks carry no PROXY line (four independent reports; AWS says nothing): a strict receiver fails them.
 *
 * @returns  what is wrong, without the way out, which depends on what answers on the plain health port
 */
export function checkHealthCheck(loadBalancer: LoadBalancer, ports: readonly InstancePort[]): string[] {
  return portsCheckedPlainly(loadBalancer)
    .filter((port) => ports.some((each) => each.port === port))
    .map(
      (port) =>
        `the health check ${loadBalancer.healthCheckTarget} goes to instance port ${port} without a PROXY line, and every instance would be taken out of service.`,
    );
}

/** The one that the health check goes to, or none: a TCP check ends before there would be a line. */
const portsCheckedPlainly = ({ healthCheckTarget }: LoadBalancer): number[] =>
  [...healthCheckTarget.matchAll(/^(?:HTTPS?|SSL):(\d+)/gi)].map(([, port]) => Number(port));

/** Instance ports to which the load balancer sends connections without a PROXY line whatever the policy: checks, and HTTP. */
export function portsFedPlainly(loadBalancer: LoadBalancer): ReadonlySet<number> {
  const notTcp = loadBalancer.listeners.filter((each) => each.instanceProtocol !== 'TCP');
  return new Set([...portsCheckedPlainly(loadBalancer), ...notTcp.map((each) => each.instancePort)]);
}

/** `/healthz` is the receiver's own page, which is refused or says 503 until the receiver is ready. */
export const asksForReceiver = ({ healthCheckTarget }: LoadBalancer): boolean =>
  /^HTTP:\d+\/healthz$/i.test(healthCheckTarget);

/**
 * Of a load balancer whose health check does not ask for the receiver. Not a refusal: as long as nobody joins the fleet, nothing is wrong.
 *
 * @param groups  whose instances the load balancer has, or why that is not known
 */
export function warnOfNewcomers(
  { loadBalancerName, healthCheckTarget }: LoadBalancer,
  healthPort: string,
  groups: readonly ScalingGroup[] | { readonly unknown: string },
): string[] {
  const warn = (why: string, hook: string): string =>
    `The health check ${healthCheckTarget} of ${loadBalancerName} does not ask /healthz, and ${why}: an instance that joins the fleet later may get connections before its receiver is ready. Point the health check at HTTP:${healthPort}/healthz, or ${hook}.`;
  const giveOne = (name: string): string =>
    `give ${name} a lifecycle hook for autoscaling:EC2_INSTANCE_LAUNCHING that is completed when /healthz answers on the instance`;
  if ('unknown' in groups) {
    return [
      warn(
        `whether its Auto Scaling group has a lifecycle hook is not known (${groups.unknown})`,
        giveOne('the group'),
      ),
    ];
  }
  if (groups.length === 0)
    return [warn('no Auto Scaling group with a lifecycle hook launches its instances', 'launch them by one')];
  return groups
    .filter(({ hasLaunchHook }) => !hasLaunchHook)
    .map(({ name }) => warn(`Auto Scaling group ${name} has no lifecycle hook for launching`, giveOne('it')));
}

/** Kubernetes sets the policies of every port on each reconciliation, to exactly its own or to none: it would undo ours. */
export function checkController(loadBalancer: LoadBalancer): GateError[] {
  return [...loadBalancer.tags.keys()]
    .filter(
      (key) =>
        key.startsWith('kubernetes.io/cluster/') || key === 'KubernetesCluster' || key === 'kubernetes.io/service-name',
    )
    .slice(0, 1)
    .map(
      (key) =>
        new GateError(
          'ERR_OTHER_CONTROLLER',
          `${loadBalancer.loadBalancerName} has the tag ${key}=${loadBalancer.tags.get(key)}: Kubernetes owns it and would take our policy off again. Use its annotation service.beta.kubernetes.io/aws-load-balancer-proxy-protocol instead.`,
        ),
    );
}

export function checkFleet(
  loadBalancer: LoadBalancer,
  fleet: Fleet,
  tag: { readonly key: string; readonly value: string },
): GateError[] {
  return fleet.unready.map(({ instanceId, why, detail }) => {
    switch (why) {
      case 'untagged':
        return new GateError(
          'ERR_INSTANCE_UNTAGGED',
          `${instanceId} is registered with ${loadBalancer.loadBalancerName} and has no tag ${tag.key}=${tag.value}, so the runbook would pass it over. Tag it, or deregister it.`,
        );
      case 'offline':
        return new GateError(
          'ERR_INSTANCE_OFFLINE',
          `the Systems Manager agent of ${instanceId} is ${detail}. Start the agent or the instance, or deregister it from ${loadBalancer.loadBalancerName}.`,
        );
      case 'unmanaged':
        return new GateError(
          'ERR_INSTANCE_UNMANAGED',
          `${instanceId} is registered with ${loadBalancer.loadBalancerName} and Systems Manager does not know it. Give it the agent and an instance profile with AmazonSSMManagedInstanceCore, or deregister it.`,
        );
      default: {
        const never: never = why;
        throw new TypeError(`no such reason: ${never}`);
      }
    }
  });
}

export function checkInstances(loadBalancer: LoadBalancer): GateError[] {
  if (loadBalancer.instanceIds.length > 0) return [];
  return [
    new GateError(
      'ERR_NO_INSTANCES',
      `no instance is registered with ${loadBalancer.loadBalancerName}, so nobody could be asked whether the policy arrived. Register the fleet first; or set EmptyFleet to Allow.`,
    ),
  ];
}

export function checkPorts(loadBalancer: LoadBalancer, ports: readonly InstancePort[]): GateError[] {
  if (ports.length > 0) return [];
  return [
    new GateError(
      'ERR_NO_INSTANCE_PORTS',
      `${loadBalancer.loadBalancerName} has no listener that feeds an instance port over TCP${loadBalancer.listeners.length === 0 ? '' : ' and is not excluded'}. Add a TCP or SSL listener with instance protocol TCP.`,
    ),
  ];
}

export function checkForeign(
  policies: Policies,
  ports: readonly InstancePort[],
  foreignPolicy: 'Adopt' | 'Refuse',
): GateError[] {
  if (foreignPolicy === 'Adopt') return [];
  return ports.flatMap(({ port }) => {
    const name = (policies.byPort.get(port) ?? []).find(
      (each) => each !== POLICY_NAME && policies.proxyPolicies.has(each),
    );
    if (name === undefined) return [];
    return [
      new GateError(
        'ERR_FOREIGN_POLICY',
        `instance port ${port} has the PROXY policy ${name}, which somebody else attached. Set ForeignPolicy to Adopt to keep it and count it as on; or have its owner take it off.`,
      ),
    ];
  });
}

/** Another load balancer with an instance of ours, and what it has on the instance ports that both feed. */
export interface Neighbour {
  readonly loadBalancerName: string;
  readonly instanceIds: readonly string[];
  readonly ports: readonly number[];
  readonly policies: Policies;
}

/** A receiver has one mode. A neighbour that sends plain connections to a shared port would be cut off by a strict one. */
export function checkNeighbours(neighbours: readonly Neighbour[]): GateError[] {
  return neighbours.flatMap((neighbour) => {
    const plain = neighbour.ports.filter((port) => !isOn(neighbour.policies, port));
    if (plain.length === 0) return [];
    return [
      new GateError(
        'ERR_INSTANCE_SHARED',
        `load balancer ${neighbour.loadBalancerName} sends plain connections to instance port ${plain.join(', ')} of ${neighbour.instanceIds.join(', ')}, and strict receivers would drop them. Deregister the instances there, use other instance ports, or set FinalMode to both.`,
      ),
    ];
  });
}
