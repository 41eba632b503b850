/** Which instances Systems Manager reaches: of several pages, of more than one filter takes, while they are being launched. */
import type { SSMClient } from '@aws-sdk/client-ssm';
import { describe, expect, test } from '@jest/globals';
import { awaitOnline, describeFleet } from '../../../functions/load-balancer/fleet.ts';

type Known = Record<string, { tagged?: boolean; ping?: string }>;

/** Two instances a page. @param known  as it is at each question about a first page, the last one again and again */
function ssm(...known: Known[]) {
  const inputs: { Filters: { Key: string; Values: string[] }[]; NextToken?: string }[] = [];
  const client = {
    async send({ input }: { input: (typeof inputs)[number] }) {
      inputs.push(input);
      const now =
        (input.NextToken === undefined && known.length > 1 && inputs.length > 1 ? known.splice(0, 2)[1] : known[0]) ??
        {};
      if (known.length === 0) known.push(now);
      const [filter] = input.Filters;
      const fits = Object.entries(now).filter(([id, { tagged = false }]) =>
        filter?.Key === 'InstanceIds'
          ? filter.Values.includes(id)
          : tagged && filter?.Key === 'tag:role' && filter.Values.includes('chat'),
      );
      const from = Number(input.NextToken ?? 0);
      const InstanceInformationList = fits
        .slice(from, from + 2)
        .map(([InstanceId, { ping }]) => ({ InstanceId, PingStatus: ping }));
      return { InstanceInformationList, NextToken: from + 2 < fits.length ? String(from + 2) : '' };
    },
  };
  return { client: client as unknown as SSMClient, inputs };
}

const TAG = { key: 'role', value: 'chat' };
const online = { tagged: true, ping: 'Online' };

describe('a fleet', () => {
  test('is who is registered and can be switched, who cannot and why, and who is tagged beside', async () => {
    const { client } = ssm({
      'i-1': online,
      'i-2': { tagged: true, ping: 'ConnectionLost' },
      'i-3': { ping: 'Online' },
      'i-5': { tagged: true },
      'i-9': online,
      'i-8': online,
    });

    expect(await describeFleet(client, ['i-1', 'i-2', 'i-3', 'i-4', 'i-5'], TAG)).toEqual({
      ready: ['i-1', 'i-9', 'i-8'],
      unready: [
        { instanceId: 'i-2', why: 'offline', detail: 'ConnectionLost' },
        { instanceId: 'i-3', why: 'untagged', detail: '' },
        { instanceId: 'i-4', why: 'unmanaged', detail: '' },
        { instanceId: 'i-5', why: 'offline', detail: 'unknown' },
      ],
      unregistered: ['i-8', 'i-9'],
    });
  });

  test('all of it tagged is asked about once for each page, and nobody by id', async () => {
    const { client, inputs } = ssm({ 'i-1': online, 'i-2': online, 'i-3': online });

    await describeFleet(client, ['i-1', 'i-2', 'i-3'], TAG);

    expect(inputs).toEqual([
      { Filters: [{ Key: 'tag:role', Values: ['chat'] }], MaxResults: 50 },
      { Filters: [{ Key: 'tag:role', Values: ['chat'] }], MaxResults: 50, NextToken: '2' },
    ]);
  });

  test('of a hundred untagged instances is asked about in filters of fifty', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `i-${index}`);
    const { client, inputs } = ssm(Object.fromEntries(ids.map((id) => [id, { ping: 'Online' }])));

    const { unready } = await describeFleet(client, ids, TAG);

    expect(unready.map(({ why }) => why)).toEqual(ids.map(() => 'untagged'));
    const filters = inputs
      .filter(({ NextToken }) => NextToken === undefined)
      .map(({ Filters }) => Filters[0]?.Values.length);
    expect(filters).toEqual([1, 50, 50]);
  });
});

describe('instances that are being launched', () => {
  function clock() {
    let now = 0;
    return {
      now: () => now,
      sleep: async (ms: number) => {
        now += ms;
      },
    };
  }

  test('are waited for until the last one is there', async () => {
    const time = clock();
    const some = { 'i-1': online };

    await awaitOnline(ssm(some, some, { 'i-1': online, 'i-2': online }).client, time, ['i-1', 'i-2'], 60_000);

    expect(time.now()).toBeGreaterThan(0);
    expect(time.now()).toBeLessThan(60_000);
  });

  test('that are there are not waited for; those that never come, no longer than was said', async () => {
    const [there, never] = [clock(), clock()];

    await awaitOnline(ssm({ 'i-1': online }).client, there, ['i-1'], 60_000);
    await awaitOnline(ssm({ 'i-1': { ping: 'Inactive' } }).client, never, ['i-1'], 20_000);

    expect([there.now(), never.now()]).toEqual([0, 20_000]);
  });
});
