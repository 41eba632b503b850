/**
 * Reading the account: what was switched, what the load balancers have. Pages are as large as the services allow, and everything that can be
 * read for many at once is; the policies alone take a call for each load balancer.
 */
import {
  DescribeInstanceHealthCommand,
  DescribeLoadBalancerPoliciesCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  type ElasticLoadBalancingClient,
  type LoadBalancerDescription,
  type PolicyDescription,
  type TagDescription,
} from '@aws-sdk/client-elastic-load-balancing';
import { GetParametersByPathCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { isGone } from '../shared/errors.ts';

/** Name → value. @param path  `/proxyflip`; a page holds ten, which is the most that the service gives. */
export async function readParameters(ssm: SSMClient, path: string, recursive: boolean): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  let nextToken: string | undefined;
  do {
    const page = await ssm.send(
      new GetParametersByPathCommand({
        Path: path,
        Recursive: recursive,
        MaxResults: 10,
        NextToken: nextToken,
      }),
    );
    for (const { Name = '', Value = '' } of page.Parameters ?? []) found.set(Name, Value);
    nextToken = page.NextToken === '' ? undefined : page.NextToken;
  } while (nextToken !== undefined);
  return found;
}

/** Every load balancer of the account and Region by its name, 400 a page. */
export async function readLoadBalancers(
  elb: ElasticLoadBalancingClient,
): Promise<Map<string, LoadBalancerDescription>> {
  const found = new Map<string, LoadBalancerDescription>();
  let marker: string | undefined;
  do {
    const page = await elb.send(new DescribeLoadBalancersCommand({ PageSize: 400, Marker: marker }));
    for (const each of page.LoadBalancerDescriptions ?? []) found.set(each.LoadBalancerName ?? '', each);
    marker = page.NextMarker === '' ? undefined : page.NextMarker;
  } while (marker !== undefined);
  return found;
}

/** @returns undefined for one that was deleted since it was listed */
export async function readPolicies(
  elb: ElasticLoadBalancingClient,
  name: string,
): Promise<PolicyDescription[] | undefined> {
  try {
    const { PolicyDescriptions } = await elb.send(new DescribeLoadBalancerPoliciesCommand({ LoadBalancerName: name }));
    return PolicyDescriptions ?? [];
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** By load balancer; twenty a call, the most that the service takes. */
export async function readTags(
  elb: ElasticLoadBalancingClient,
  names: readonly string[],
): Promise<Map<string, ReadonlyMap<string, string>>> {
  const answers = await Promise.all(groupsOf(20, names).map((group) => describeTags(elb, group)));
  return new Map(
    answers
      .flat()
      .map((each) => [
        each.LoadBalancerName ?? '',
        new Map((each.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
      ]),
  );
}

/** One that was deleted since it was listed spoils the whole call. */
async function describeTags(elb: ElasticLoadBalancingClient, names: readonly string[]): Promise<TagDescription[]> {
  try {
    const { TagDescriptions } = await elb.send(new DescribeTagsCommand({ LoadBalancerNames: [...names] }));
    return TagDescriptions ?? [];
  } catch (error) {
    if (!isGone(error)) throw error;
    if (names.length === 1) return [];
    return (await Promise.all(names.map((name) => describeTags(elb, [name])))).flat();
  }
}

export interface Health {
  /** Taken out of service by the health check. */
  readonly outOfService: ReadonlySet<string>;
  /** Not in service yet: just registered. */
  readonly joining: ReadonlySet<string>;
}

export async function readHealth(elb: ElasticLoadBalancingClient, name: string): Promise<Health> {
  const { InstanceStates = [] } = await elb.send(new DescribeInstanceHealthCommand({ LoadBalancerName: name }));
  const out = InstanceStates.filter((each) => each.State !== 'InService');
  const isJoining = ({ Description = '' }: (typeof out)[number]) =>
    /registration is still in progress/i.test(Description);
  const idsOf = (states: typeof out) => new Set(states.map((each) => each.InstanceId ?? ''));
  return {
    outOfService: idsOf(out.filter((each) => !isJoining(each))),
    joining: idsOf(out.filter(isJoining)),
  };
}

export function groupsOf<Item>(size: number, items: readonly Item[]): Item[][] {
  const groups: Item[][] = [];
  for (let start = 0; start < items.length; start += size) groups.push(items.slice(start, start + size));
  return groups;
}
