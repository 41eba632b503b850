/** The Classic ELB calls, each once, with narrow errors. */
import {
  CreateLoadBalancerPolicyCommand,
  DeleteLoadBalancerPolicyCommand,
  DescribeLoadBalancerPoliciesCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  type ElasticLoadBalancingClient,
  SetLoadBalancerPoliciesForBackendServerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import { isGone, ProxyflipError, serviceErrorName } from '../shared/errors.ts';
import { describePolicies, POLICY_ATTRIBUTE, POLICY_NAME, POLICY_TYPE, type Policies } from '../shared/policies.ts';
import { describeListener, type ListenerDescription } from '../shared/ports.ts';

export interface LoadBalancer {
  readonly loadBalancerName: string;
  readonly listeners: readonly ListenerDescription[];
  readonly instanceIds: readonly string[];
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  /** `HTTP:8078/healthz`, `TCP:80` …; `TCP` = the load balancer's own default. */
  readonly healthCheckTarget: string;
  readonly policies: Policies;
  readonly tags: ReadonlyMap<string, string>;
}

/**
 * Everything about one load balancer in three calls.
 *
 * @throws LoadBalancerNotFoundError  no such name in this account and Region
 */
export async function describeLoadBalancer(elb: ElasticLoadBalancingClient, name: string): Promise<LoadBalancer> {
  try {
    const [{ LoadBalancerDescriptions }, { PolicyDescriptions }, { TagDescriptions }] = await Promise.all([
      elb.send(new DescribeLoadBalancersCommand({ LoadBalancerNames: [name] })),
      elb.send(new DescribeLoadBalancerPoliciesCommand({ LoadBalancerName: name })),
      elb.send(new DescribeTagsCommand({ LoadBalancerNames: [name] })),
    ]);
    const description = LoadBalancerDescriptions?.[0];
    if (description === undefined) throw new LoadBalancerNotFoundError(name);
    return {
      loadBalancerName: name,
      listeners: (description.ListenerDescriptions ?? []).flatMap(({ Listener }) =>
        Listener === undefined ? [] : [describeListener(Listener)],
      ),
      instanceIds: (description.Instances ?? []).map((each) => each.InstanceId ?? '').sort(),
      subnetIds: description.Subnets ?? [],
      securityGroupIds: description.SecurityGroups ?? [],
      healthCheckTarget: description.HealthCheck?.Target ?? 'TCP',
      policies: describePolicies(description.BackendServerDescriptions, PolicyDescriptions),
      tags: new Map((TagDescriptions?.[0]?.Tags ?? []).map((tag) => [tag.Key ?? '', tag.Value ?? ''])),
    };
  } catch (error) {
    throw isGone(error) ? new LoadBalancerNotFoundError(name, error) : error;
  }
}

/** Creating the identical policy again is not an error for the service in practice, though documented as one: both are fine. */
export async function createPolicy(elb: ElasticLoadBalancingClient, loadBalancerName: string): Promise<void> {
  try {
    await elb.send(
      new CreateLoadBalancerPolicyCommand({
        LoadBalancerName: loadBalancerName,
        PolicyName: POLICY_NAME,
        PolicyTypeName: POLICY_TYPE,
        PolicyAttributes: [{ AttributeName: POLICY_ATTRIBUTE, AttributeValue: 'true' }],
      }),
    );
  } catch (error) {
    if (!['DuplicatePolicyNameException', 'DuplicatePolicyName'].includes(serviceErrorName(error))) throw error;
  }
}

/** Replaces the whole list of one instance port. `policyNames` must be an array: an absent one would send nothing at all. */
export async function setPolicies(
  elb: ElasticLoadBalancingClient,
  loadBalancerName: string,
  instancePort: number,
  policyNames: readonly string[],
): Promise<void> {
  await elb.send(
    new SetLoadBalancerPoliciesForBackendServerCommand({
      LoadBalancerName: loadBalancerName,
      InstancePort: instancePort,
      PolicyNames: [...policyNames],
    }),
  );
}

export async function deletePolicy(elb: ElasticLoadBalancingClient, loadBalancerName: string): Promise<void> {
  await elb.send(new DeleteLoadBalancerPolicyCommand({ LoadBalancerName: loadBalancerName, PolicyName: POLICY_NAME }));
}

export class LoadBalancerNotFoundError extends ProxyflipError {
  constructor(loadBalancerName: string, cause?: unknown) {
    super(
      'ERR_LOAD_BALANCER_NOT_FOUND',
      `no Classic Load Balancer ${JSON.stringify(loadBalancerName)} in this account and Region. Give the name as the EC2 console shows it (not the DNS name), and run in its Region.`,
      { cause },
    );
  }
}
