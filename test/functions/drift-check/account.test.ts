import type { ElasticLoadBalancingClient } from '@aws-sdk/client-elastic-load-balancing';
import { expect, test } from '@jest/globals';
import { readLoadBalancers } from '../../../functions/drift-check/account.ts';

test('an account is read in pages of 400, to its end', async () => {
  const names = Array.from({ length: 1000 }, (_, index) => `lb-${index}`);
  const asked: unknown[] = [];
  const send = async ({ input }: { input: { PageSize: number; Marker?: string } }) => {
    asked.push(input);
    const start = Number(input.Marker ?? 0);
    const end = start + input.PageSize;
    return {
      LoadBalancerDescriptions: names.slice(start, end).map((LoadBalancerName) => ({ LoadBalancerName })),
      NextMarker: end < names.length ? String(end) : '',
    };
  };

  const found = await readLoadBalancers({ send } as unknown as ElasticLoadBalancingClient);

  expect([...found.keys()]).toEqual(names);
  expect(asked).toEqual([{ PageSize: 400 }, { PageSize: 400, Marker: '400' }, { PageSize: 400, Marker: '800' }]);
});
