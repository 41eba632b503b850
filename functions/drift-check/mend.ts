/**
 * The one command that mends a finding, to be pasted into a shell as it stands. Region and credentials are those of the shell.
 *
 * Where both sides are concerned it is the switch runbook with the parameters of the run that set what has drifted: it goes by `both`,
 * so that no request fails on the way back either.
 */
import { parsePortList } from '../shared/ports.ts';
import type { Direction, SwitchState } from '../shared/switch-state.ts';
import { type ObservedListener, type ObservedLoadBalancer, policiesOn, proxyPoliciesOn } from './observed.ts';

/** Single quotes around anything that a shell might look into. */
export const quote = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** What the switch runbook is started with to repeat the last run. */
export function switchParameters(
  loadBalancerName: string,
  state: SwitchState,
  change: { readonly direction?: Direction; readonly withoutPorts?: readonly number[] } = {},
): Record<string, string[]> {
  const { IncludePorts = '', ...parameters } = state.parameters ?? {};
  const gone = change.withoutPorts ?? [];
  const include = parsePortList('IncludePorts', IncludePorts).filter((port) => !gone.includes(port));
  return {
    LoadBalancerName: [loadBalancerName],
    Direction: [change.direction ?? state.direction],
    ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]])),
    ...(include.length === 0 ? {} : { IncludePorts: [include.join(',')] }),
  };
}

export function startSwitch(
  documentName: string,
  loadBalancerName: string,
  state: SwitchState,
  change: Parameters<typeof switchParameters>[2] = {},
): string {
  const parameters = JSON.stringify(switchParameters(loadBalancerName, state, change));
  return `aws ssm start-automation-execution --document-name ${quote(documentName)} --parameters ${quote(parameters)}`;
}

/** Replaces the whole list of one instance port, as the service does. */
export const setPolicies = (loadBalancerName: string, port: number, policyNames: readonly string[]): string =>
  `aws elb set-load-balancer-policies-for-backend-server --load-balancer-name ${quote(loadBalancerName)} --instance-port ${port} --policy-names ${
    policyNames.length === 0 ? "'[]'" : policyNames.map(quote).join(' ')
  }`;

/** The port's policies without those that `drop` names. */
export const dropPolicies = (loadBalancer: ObservedLoadBalancer, port: number, drop: readonly string[]): string =>
  setPolicies(
    loadBalancer.name,
    port,
    policiesOn(loadBalancer, port).filter((name) => !drop.includes(name)),
  );

/** One PROXY policy where there are several: ours if it is among them, else the first. */
export function keepOnePolicy(loadBalancer: ObservedLoadBalancer, port: number, own: string): string {
  const proxy = proxyPoliciesOn(loadBalancer, port);
  const kept = proxy.includes(own) ? own : proxy[0];
  return dropPolicies(
    loadBalancer,
    port,
    proxy.filter((name) => name !== kept),
  );
}

/** A listener cannot be changed, only made again; its clients are refused between the two calls. */
export function makeListenerAgain(loadBalancerName: string, listener: ObservedListener): string {
  const { loadBalancerPort, protocol, instancePort, certificateId } = listener;
  const front = protocol === 'HTTPS' || protocol === 'SSL' ? 'SSL' : 'TCP';
  const certificate = front === 'SSL' && certificateId !== undefined ? `,SSLCertificateId=${certificateId}` : '';
  const name = quote(loadBalancerName);
  return `aws elb delete-load-balancer-listeners --load-balancer-name ${name} --load-balancer-ports ${loadBalancerPort} && aws elb create-load-balancer-listeners --load-balancer-name ${name} --listeners ${quote(
    `Protocol=${front},LoadBalancerPort=${loadBalancerPort},InstanceProtocol=TCP,InstancePort=${instancePort}${certificate}`,
  )}`;
}

/** The check as it is, at the receivers' plain health page. */
export function moveHealthCheck({ name, healthCheck }: ObservedLoadBalancer, healthPort: string): string {
  const { interval = 30, timeout = 5, unhealthyThreshold = 2, healthyThreshold = 10 } = healthCheck ?? {};
  return `aws elb configure-health-check --load-balancer-name ${quote(name)} --health-check Target=HTTP:${healthPort}/healthz,Interval=${interval},Timeout=${timeout},UnhealthyThreshold=${unhealthyThreshold},HealthyThreshold=${healthyThreshold}`;
}

export const deregister = (loadBalancerName: string, instanceIds: readonly string[]): string =>
  `aws elb deregister-instances-from-load-balancer --load-balancer-name ${quote(loadBalancerName)} --instances ${instanceIds.map(quote).join(' ')}`;
