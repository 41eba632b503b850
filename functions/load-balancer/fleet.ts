/** Which instances Systems Manager reaches, joined with those that the load balancer has. */
import { DescribeInstanceInformationCommand, type InstanceInformation, type SSMClient } from '@aws-sdk/client-ssm';
import type { Clock } from '../shared/clock.ts';

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
  const untagged = await describeAll(ssm, missing);
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
    ready: [...tagged].filter(([, each]) => each.PingStatus === 'Online').map(([id]) => id),
    unready,
    unregistered: [...tagged.keys()].filter((id) => !registered.includes(id)).sort(),
  };
}

const POLL_MS = 5_000;

/** Wait until Systems Manager reaches these instances, which are being launched; at most `waitMs`. */
export async function awaitOnline(
  ssm: SSMClient,
  clock: Clock,
  instanceIds: readonly string[],
  waitMs: number,
): Promise<void> {
  const until = clock.now() + waitMs;
  for (;;) {
    const known = await describeAll(ssm, instanceIds);
    if (instanceIds.every((id) => known.get(id)?.PingStatus === 'Online') || clock.now() >= until) return;
    await clock.sleep(POLL_MS);
  }
}

/** At most 50 ids a filter, as SendCommand has it; the documentation gives no other figure. */
async function describeAll(ssm: SSMClient, instanceIds: readonly string[]): Promise<Map<string, InstanceInformation>> {
  const found = new Map<string, InstanceInformation>();
  for (let start = 0; start < instanceIds.length; start += 50) {
    for (const [id, each] of await describeInstances(ssm, 'InstanceIds', instanceIds.slice(start, start + 50)))
      found.set(id, each);
  }
  return found;
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
        NextToken: nextToken,
      }),
    );
    for (const each of page.InstanceInformationList ?? []) found.set(each.InstanceId ?? '', each);
    nextToken = page.NextToken === '' ? undefined : page.NextToken;
  } while (nextToken !== undefined);
  return found;
}
