/** What the API refuses before it changes anything. Each throws the service's own error. */
import type { Listener as ListenerInput } from '@aws-sdk/client-elastic-load-balancing';
import { ServiceError } from '../aws/service.ts';
import type { Instance, Subnet, World } from '../world.ts';
import type { HealthCheckConfiguration, Protocol } from './data-plane.ts';
import type { Listener, LoadBalancer } from './model.ts';

export const validationError = (message: string) => new ServiceError('ValidationError', message);
export const invalidConfiguration = (message: string) => new ServiceError('InvalidConfigurationRequest', message, 409);

export function checkName(name: string): void {
  if (!/^(?!-)[A-Za-z0-9-]{1,32}(?<!-)$/.test(name)) {
    throw validationError(
      `LoadBalancer name '${name}' must be 1 to 32 letters, digits and hyphens, with no hyphen at its ends`,
    );
  }
}

export function checkPort(what: string, port: number): void {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw validationError(`${what} must be in the range 1-65535, not ${port}`);
}

export function checkBetween(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw validationError(`${what} must be a whole number between ${least} and ${most}, not ${value}`);
  }
}

const PROTOCOLS: readonly Protocol[] = ['TCP', 'SSL', 'HTTP', 'HTTPS'];
const isSecure = (protocol: Protocol): boolean => protocol === 'SSL' || protocol === 'HTTPS';
const isHttp = (protocol: Protocol): boolean => protocol === 'HTTP' || protocol === 'HTTPS';

/** @throws ServiceError ValidationError | InvalidConfigurationRequest | CertificateNotFound */
export function parseListener(input: ListenerInput): Listener {
  const loadBalancerPort = input.LoadBalancerPort ?? 0;
  const instancePort = input.InstancePort ?? 0;
  checkPort('LoadBalancerPort', loadBalancerPort);
  checkPort('InstancePort', instancePort);
  const protocol = parseProtocol(input.Protocol);
  // Omitted, it is of the same layer as the listener's. Source: API reference, Listener.
  const instanceProtocol = parseProtocol(input.InstanceProtocol ?? (isHttp(protocol) ? 'HTTP' : 'TCP'));
  if (isHttp(protocol) !== isHttp(instanceProtocol)) {
    throw invalidConfiguration(
      `Listener ${loadBalancerPort}: protocol ${protocol} and instance protocol ${instanceProtocol} are not at the same internet protocol layer`,
    );
  }
  if (isSecure(protocol) && input.SSLCertificateId === undefined) {
    throw validationError('Secure Listeners need to specify a SSLCertificateId');
  }
  if (input.SSLCertificateId !== undefined && !/^arn:aws[a-z-]*:(acm|iam):/.test(input.SSLCertificateId)) {
    throw new ServiceError(
      'CertificateNotFound',
      `Server Certificate not found for the key: ${input.SSLCertificateId}`,
    );
  }
  return {
    loadBalancerPort,
    protocol,
    instanceProtocol,
    instancePort,
    sslCertificateId: input.SSLCertificateId,
    policyNames: [],
  };
}

function parseProtocol(given: string | undefined): Protocol {
  const protocol = PROTOCOLS.find((each) => each === given?.toUpperCase());
  if (protocol === undefined) throw validationError(`Protocol '${given}' must be HTTP, HTTPS, TCP or SSL`);
  return protocol;
}

/**
 * "If there is another listener with the same InstancePort whose InstanceProtocol is secure, the listener's InstanceProtocol must also
 * be secure"; and the other way round. TCP and HTTP may share a port. Source: API reference, Listener.
 */
export function checkSharedInstancePort(listener: Listener, listeners: Iterable<Listener>): void {
  for (const each of listeners) {
    if (each.loadBalancerPort === listener.loadBalancerPort || each.instancePort !== listener.instancePort) continue;
    if (isSecure(each.instanceProtocol) !== isSecure(listener.instanceProtocol)) {
      throw invalidConfiguration(
        `Listener ${each.loadBalancerPort} speaks ${each.instanceProtocol} to instance port ${listener.instancePort}, listener ${listener.loadBalancerPort} cannot speak ${listener.instanceProtocol} to it`,
      );
    }
  }
}

/** A listener again with the same content is no error. Source: API reference, CreateLoadBalancerListeners, DuplicateListener. */
export function checkNotDuplicate(listener: Listener, listeners: Iterable<Listener>): void {
  for (const each of listeners) {
    const isSame =
      each.protocol === listener.protocol &&
      each.instanceProtocol === listener.instanceProtocol &&
      each.instancePort === listener.instancePort &&
      each.sslCertificateId === listener.sslCertificateId;
    if (each.loadBalancerPort === listener.loadBalancerPort && !isSame) {
      throw new ServiceError(
        'DuplicateListener',
        `A listener already exists on port ${listener.loadBalancerPort} with a different instance port, protocol, or SSL certificate`,
      );
    }
  }
}

/** Source: API reference, HealthCheck: protocols, ranges, "the timeout must be less than the interval". */
export function parseHealthCheck(input: {
  Target?: string | undefined;
  Interval?: number | undefined;
  Timeout?: number | undefined;
  UnhealthyThreshold?: number | undefined;
  HealthyThreshold?: number | undefined;
}): HealthCheckConfiguration {
  const target = input.Target ?? '';
  const match = /^(TCP|SSL):(\d+)$|^(HTTP|HTTPS):(\d+)\/[^\s']*$/i.exec(target);
  if (match === null)
    throw validationError(
      `HealthCheck Target '${target}' must be TCP:port, SSL:port, HTTP:port/path or HTTPS:port/path`,
    );
  checkPort('HealthCheck Target port', Number(match[2] ?? match[4]));
  const healthCheck = {
    target,
    intervalSeconds: input.Interval ?? 0,
    timeoutSeconds: input.Timeout ?? 0,
    unhealthyThreshold: input.UnhealthyThreshold ?? 0,
    healthyThreshold: input.HealthyThreshold ?? 0,
  };
  checkBetween('HealthCheck Interval', healthCheck.intervalSeconds, 5, 300);
  checkBetween('HealthCheck Timeout', healthCheck.timeoutSeconds, 2, 60);
  checkBetween('HealthCheck UnhealthyThreshold', healthCheck.unhealthyThreshold, 2, 10);
  checkBetween('HealthCheck HealthyThreshold', healthCheck.healthyThreshold, 2, 10);
  if (healthCheck.timeoutSeconds >= healthCheck.intervalSeconds) {
    throw validationError(
      `HealthCheck Timeout (${healthCheck.timeoutSeconds}) must be less than Interval (${healthCheck.intervalSeconds})`,
    );
  }
  return healthCheck;
}

/** @throws ServiceError SubnetNotFound | InvalidSubnet | ValidationError */
export function subnetsOf(
  world: World,
  input: { Subnets?: string[] | undefined; AvailabilityZones?: string[] | undefined },
): readonly Subnet[] {
  const ids = input.Subnets ?? [];
  const zones = input.AvailabilityZones ?? [];
  if ((ids.length === 0) === (zones.length === 0)) {
    throw validationError('Either AvailabilityZones or SubnetIds must be specified, and not both');
  }
  const subnets =
    ids.length > 0
      ? ids.map((id) => {
          const subnet = world.subnets.get(id);
          if (subnet === undefined) throw new ServiceError('SubnetNotFound', `The subnet ID '${id}' does not exist`);
          return subnet;
        })
      : zones.map((zone) => {
          const subnet = [...world.subnets.values()].find((each) => each.availabilityZone === zone);
          if (subnet === undefined) throw validationError(`Invalid availability zone: ${zone}`);
          return subnet;
        });
  const distinctZones = new Set(subnets.map((subnet) => subnet.availabilityZone));
  if (distinctZones.size !== subnets.length || new Set(subnets.map((subnet) => subnet.vpcId)).size !== 1) {
    throw invalidConfiguration('Subnets must be of one VPC and each of another availability zone');
  }
  return subnets;
}

/** @throws ServiceError InvalidSecurityGroup */
export function securityGroupsOf(world: World, ids: readonly string[] | undefined): readonly string[] {
  for (const id of ids ?? []) {
    if (!world.securityGroups.has(id)) {
      throw new ServiceError('InvalidSecurityGroup', `The security group '${id}' does not exist`);
    }
  }
  return ids ?? [];
}

/** @throws ServiceError InvalidInstance */
export function instanceOf(world: World, instanceId: string | undefined): Instance {
  const instance = world.instances.get(instanceId ?? '');
  if (instance === undefined) throw new ServiceError('InvalidInstance', `Could not find EC2 instance ${instanceId}.`);
  return instance;
}

/** @throws ServiceError ListenerNotFound */
export function listenerOf(loadBalancer: LoadBalancer, loadBalancerPort: number): Listener {
  const listener = loadBalancer.listeners.get(loadBalancerPort);
  if (listener === undefined) {
    throw new ServiceError(
      'ListenerNotFound',
      `There is no listener on port ${loadBalancerPort} of ${loadBalancer.name}`,
    );
  }
  return listener;
}

/** @throws ServiceError PolicyNotFound */
export function checkPoliciesExist(loadBalancer: LoadBalancer, names: readonly string[]): void {
  for (const name of names) {
    if (!loadBalancer.policies.has(name)) {
      throw new ServiceError(
        'PolicyNotFound',
        `There is no policy with name ${name} for load balancer ${loadBalancer.name}`,
      );
    }
  }
}

/** Source: API reference, AddTags: at most 50 (Classic guide, "Tag restrictions"), no key twice in a call. */
export function checkTags(current: ReadonlyMap<string, string>, added: readonly { Key?: string | undefined }[]): void {
  const keys = added.map(({ Key }) => Key ?? '');
  if (new Set(keys).size !== keys.length)
    throw new ServiceError('DuplicateTagKeys', 'A tag key was specified more than once');
  if (new Set([...current.keys(), ...keys]).size > 50)
    throw new ServiceError('TooManyTags', 'A load balancer has at most 50 tags');
}
