/**
 * Which instance ports are switched, and how each is fed.
 *
 * They come from the listeners, never from `BackendServerDescriptions`: those list only ports that have a policy, and also
 * ports that no listener feeds any more (ELB API 2012-06-01, DescribeLoadBalancers).
 */
import type { Listener } from '@aws-sdk/client-elastic-load-balancing';
import { ProxyflipError } from './errors.ts';

/** `http`: fed by plain TCP alone; `https`: by SSL alone; `mixed`: by both, so that neither can be told to the application. */
export type Scheme = 'http' | 'https' | 'mixed';

export interface InstancePort {
  /** 1–65535: the port that the receiver listens on, not the listener's. */
  readonly port: number;
  readonly scheme: Scheme;
}

/** A listener of ours: feeds `instancePort` over TCP. */
export interface TcpListener {
  readonly loadBalancerPort: number;
  readonly protocol: 'TCP' | 'SSL';
  readonly instancePort: number;
}

export interface PortChoice {
  /** Empty = every instance port that a TCP or SSL listener feeds. */
  readonly include: readonly number[];
  readonly exclude: readonly number[];
}

export interface ListenerDescription {
  readonly loadBalancerPort: number;
  readonly protocol: string;
  readonly instancePort: number;
  readonly instanceProtocol: string;
}

/** Flat and upper case, as the rules below compare them. The service always names `InstanceProtocol`; absent, the stricter reading holds. */
export function describeListener(listener: Listener): ListenerDescription {
  const protocol = (listener.Protocol ?? '').toUpperCase();
  return {
    loadBalancerPort: listener.LoadBalancerPort ?? 0,
    protocol,
    instancePort: listener.InstancePort ?? 0,
    instanceProtocol: (listener.InstanceProtocol ?? protocol).toUpperCase(),
  };
}

export function switchedPorts(listeners: readonly ListenerDescription[], choice: PortChoice): InstancePort[] {
  const fed = new Set(listeners.map((listener) => listener.instancePort));
  for (const port of choice.include) {
    if (!fed.has(port)) throw new InstancePortNotFoundError(port, [...fed]);
  }
  return (
    [...fed]
      .filter((port) => choice.include.length === 0 || choice.include.includes(port))
      .filter((port) => !choice.exclude.includes(port))
      // A port that HTTP listeners alone feed was not asked for by name: the load balancer passes the client's address there
      // in X-Forwarded-For, and there is nothing to switch.
      .filter((port) => choice.include.includes(port) || listenersOf(listeners, port).some(isTcpFront))
      .sort((a, b) => a - b)
      .map((port) => ({ port, scheme: schemeOf(listenersOf(listeners, port)) }))
  );
}

/** The TCP-backed listeners that feed one of these ports: what a probe through a node goes in by. */
export function tcpListeners(listeners: readonly ListenerDescription[], ports: readonly number[]): TcpListener[] {
  return listeners
    .filter((listener) => ports.includes(listener.instancePort) && listener.instanceProtocol === 'TCP')
    .map(({ loadBalancerPort, protocol, instancePort }) => ({
      loadBalancerPort,
      protocol: protocol === 'SSL' ? 'SSL' : 'TCP',
      instancePort,
    }));
}

/** `80=http 81=https`, as the Command document takes it. */
export const formatInstancePorts = (ports: readonly InstancePort[]): string =>
  ports.map(({ port, scheme }) => `${port}=${scheme}`).join(' ');

export function parseInstancePorts(text: string): InstancePort[] {
  return text
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => {
      const [port, scheme] = part.split('=');
      return { port: Number(port), scheme: scheme === 'http' || scheme === 'https' ? scheme : 'mixed' };
    });
}

/** A list as people write it in a console: `80, 443` or `80 443`; empty = none. */
export function parsePortList(name: string, text: string): number[] {
  return text
    .split(/[\s,]/)
    .filter((part) => part !== '')
    .map((part) => {
      const port = Number(part);
      if (!/^\d{1,5}$/.test(part) || port < 1 || port > 65535) {
        throw new ProxyflipError(
          'ERR_INVALID_PORT_LIST',
          `${name} is ${JSON.stringify(text)}: ${JSON.stringify(part)} is not a port. Write ports from 1 to 65535, separated by commas.`,
        );
      }
      return port;
    });
}

const listenersOf = (listeners: readonly ListenerDescription[], port: number): ListenerDescription[] =>
  listeners.filter((listener) => listener.instancePort === port);

const isTcpFront = (listener: ListenerDescription): boolean =>
  listener.protocol === 'TCP' || listener.protocol === 'SSL';

/** @param listeners  those that feed one instance port */
export function schemeOf(listeners: readonly ListenerDescription[]): Scheme {
  const protocols = new Set(listeners.filter(isTcpFront).map((listener) => listener.protocol));
  if (protocols.size > 1) return 'mixed';
  return protocols.has('SSL') ? 'https' : 'http';
}

class InstancePortNotFoundError extends ProxyflipError {
  constructor(port: number, fed: readonly number[]) {
    super(
      'ERR_INSTANCE_PORT_NOT_FOUND',
      `no listener feeds instance port ${port}, which IncludePorts names. The listeners feed ${fed.join(', ') || 'none'}. Correct IncludePorts, or add the listener first.`,
    );
  }
}
