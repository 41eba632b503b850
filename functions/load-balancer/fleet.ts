/** Which instances Systems Manager reaches, joined with those that the load balancer has. */
import { DescribeInstanceInformationCommand, type InstanceInformation, type SSMClient } from '@aws-sdk/client-ssm';

export interface Fleet {
  /** Managed, online and tagged, whether registered or not. */
  readonly ready: readonly string[];
  /** Registered, and why each cannot be switched: what Systems Manager says of it. */
  readonly unready: readonly {
    readonly instanceId: string;
    readonly why: 'unmanaged' | 'offline' | 'untagged';
    readonly detail: string;
  }[];
  /** Tagged, and not registered: the runbook changes them too. */
  readonly unregistered: readonly string[];
}

export async function describeFleet(
  ssm: SSMClient,
  registered: readonly string[],
  tag: { readonly key: string; readonly value: string },
): Promise<Fleet> {
  const tagged = await describeInstances(ssm, `tag:${tag.key}`, [tag.value]);
  const missing = registered.filter((id) => !tagged.has(id));
  const untagged = new Map<string, InstanceInformation>();
  // At most 50 ids a filter, as SendCommand has it; the documentation gives no other figure.
  for (let start = 0; start < missing.length; start += 50) {
    for (const [id, each] of await describeInstances(ssm, 'InstanceIds', missing.slice(start, start + 50)))
      untagged.set(id, each);
  }
  const unready = registered.flatMap((instanceId): Fleet['unready'][number][] => {
    const found = tagged.get(instanceId);
    if (found !== undefined) {
      const ping = found.PingStatus ?? 'unknown';
      return ping === 'Online' ? [] : [{ instanceId, why: 'offline', detail: ping }];
    }
    return untagged.has(instanceId)
      ? [{ instanceId, why: 'untagged', detail: '' }]
      : [{ instanceId, why: 'unmanaged', detail: '' }];
  });
  return {
    ready: [...tagged.values()].filter((each) => each.PingStatus === 'Online').map((each) => each.InstanceId ?? ''),
    unready,
    unregistered: [...tagged.keys()].filter((id) => !registered.includes(id)).sort(),
  };
}

async function describeInstances(
  ssm: SSMClient,
  key: string,
  values: readonly string[],
): Promise<Map<string, InstanceInformation>> {
  const found = new Map<string, InstanceInformation>();
  let nextToken: string | undefined;
  do {
    const page = await ssm.send(
      new DescribeInstanceInformationCommand({
        Filters: [{ Key: key, Values: [...values] }],
        MaxResults: 50,
        ...(nextToken === undefined ? {} : { NextToken: nextToken }),
      }),
    );
    for (const each of page.InstanceInformationList ?? []) found.set(each.InstanceId ?? '', each);
    nextToken = page.NextToken === '' ? undefined : page.NextToken;
  } while (nextToken !== undefined);
  return found;
}
