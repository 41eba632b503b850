/** How much of each thing there is, on the page of costs, against the sources. Prices are AWS's and cannot be checked here. */
import { expect, test } from '@jest/globals';
import { loadBalancerMetrics, runMetrics } from '../../functions/drift-check/metrics.ts';
import { NOTHING } from '../../functions/drift-check/totals.ts';
import { readPage, tableOf } from './markdown.ts';

const amount = (of: string): string =>
  tableOf(readPage('docs/costs.md'), 'What it costs').find(([what = '']) => what.startsWith(of))?.[1] ?? '';
const metricsIn = (line: string): number => JSON.parse(line)._aws.CloudWatchMetrics[0].Metrics.length;
const typesIn = (file: string, type: string): number =>
  readPage(file).split(`Type: AWS::CloudWatch::${type}\n`).length - 1;

test('metrics', () => {
  const ofStack = metricsIn(runMetrics(0, 'proxyflip', 1, NOTHING));
  const ofLoadBalancer = metricsIn(
    loadBalancerMetrics(0, 'proxyflip', { name: 'chat', status: 'IN_SYNC', findings: [], suppressed: 0, why: '' }),
  );

  expect(amount('its metrics')).toBe(`${ofStack} of the stack, and ${ofLoadBalancer} for each load balancer`);
});

test('alarms and dashboards', () => {
  const [alarms, dashboards] = ['Alarm', 'Dashboard'].map((type) =>
    typesIn('cloudformation/resources/drift.yaml', type),
  );

  expect(amount('its alarms and its dashboard')).toBe(`${alarms} and ${dashboards}`);
});
