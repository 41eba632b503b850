/** What the drift check calls, as it ships, against the rehearsal's API. `npm run bench -- drift` is the same at full size. */
import { expect, test } from '@jest/globals';
import { boundsOf, countsOf, runDriftCheck } from '../../bench/drift-run.ts';

test('a healthy account costs 1.1 reads for each load balancer, the pages, and a command for 50 instances', async () => {
  const options = { loadBalancers: 100, instances: 1000, limitPerSecond: 1000, callsPerSecond: 100 };
  const run = await runDriftCheck(options);
  const [bounds, counts] = [boundsOf(options), countsOf(run)];

  expect(run).toMatchObject({ checked: 100, invocations: 1, throttled: 0, answer: { status: 'IN_SYNC' } });
  expect(counts.reads).toBeLessThanOrEqual(bounds.reads);
  expect(counts.pages).toBeLessThanOrEqual(bounds.pages);
  expect(counts.commands).toBe(bounds.commands);
  // Its time, and nothing else.
  const writes = [...run.calls.keys()].filter((action) => !/^(Get|List|Describe)/.test(action));
  expect(writes.sort()).toEqual(['PutParameter', 'SendCommand']);
  expect(run.calls.get('PutParameter')).toBe(1);
}, 60_000);

test('an account that throttles is checked all the same, and nothing is left out', async () => {
  const run = await runDriftCheck({ loadBalancers: 40, instances: 40, limitPerSecond: 10, callsPerSecond: 40 });

  expect(run.throttled).toBeGreaterThan(0);
  expect(run).toMatchObject({ checked: 40, answer: { status: 'IN_SYNC' } });
}, 60_000);
