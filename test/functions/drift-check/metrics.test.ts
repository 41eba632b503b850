/** Lines of the log that CloudWatch reads as metrics. */
import { describe, expect, test } from '@jest/globals';
import type { Severity } from '../../../functions/drift-check/finding.ts';
import { loadBalancerMetrics, runMetrics } from '../../../functions/drift-check/metrics.ts';
import { NOTHING } from '../../../functions/drift-check/totals.ts';
import { finding, result } from './findings.ts';
import { NOW } from './situations.ts';

test('of a run', () => {
  const totals = {
    checked: 7,
    notChecked: 2,
    unreachable: 3,
    bySeverity: { EVERY_REQUEST_FAILS: 4, UNTIDY: 5 },
    oldest: NOW - 61_400,
  };

  expect(JSON.parse(runMetrics(NOW, 'proxyflip', 9, totals))).toEqual({
    _aws: {
      Timestamp: NOW,
      CloudWatchMetrics: [
        {
          Namespace: 'proxyflip',
          Dimensions: [['Stack']],
          Metrics: [
            { Name: 'LoadBalancersInScope', Unit: 'Count' },
            { Name: 'LoadBalancersChecked', Unit: 'Count' },
            { Name: 'LoadBalancersNotChecked', Unit: 'Count' },
            { Name: 'EveryRequestFails', Unit: 'Count' },
            { Name: 'SomeRequestsFail', Unit: 'Count' },
            { Name: 'ClientAddressesWrong', Unit: 'Count' },
            { Name: 'NextChangeFails', Unit: 'Count' },
            { Name: 'Untidy', Unit: 'Count' },
            { Name: 'InstancesUnreachable', Unit: 'Count' },
            { Name: 'OldestFindingSeconds', Unit: 'Seconds' },
          ],
        },
      ],
    },
    Stack: 'proxyflip',
    LoadBalancersInScope: 9,
    LoadBalancersChecked: 7,
    LoadBalancersNotChecked: 2,
    EveryRequestFails: 4,
    SomeRequestsFail: 0,
    ClientAddressesWrong: 0,
    NextChangeFails: 0,
    Untidy: 5,
    InstancesUnreachable: 3,
    OldestFindingSeconds: 61,
  });
});

test.each([
  ['without a finding', 0],
  ['with one whose time is still to come, by the clock of an instance', NOW + 5_000],
])('%s the oldest has no age', (_desc, oldest) => {
  expect(JSON.parse(runMetrics(NOW, 'proxyflip', 1, { ...NOTHING, oldest }))).toMatchObject({
    OldestFindingSeconds: 0,
  });
});

describe('of a load balancer', () => {
  test.each<[number, Severity[]]>([
    [0, []],
    [1, ['UNTIDY']],
    [2, ['NEXT_CHANGE_FAILS', 'UNTIDY']],
    [3, ['CLIENT_ADDRESSES_WRONG']],
    [4, ['SOME_REQUESTS_FAIL']],
    [5, ['EVERY_REQUEST_FAILS', 'SOME_REQUESTS_FAIL', 'UNTIDY']],
  ])('severity %s is %j', (value, severities) => {
    const findings = severities.map((severity) => finding({ severity }));

    expect(JSON.parse(loadBalancerMetrics(NOW, 'proxyflip', result({ findings })))).toEqual({
      _aws: {
        Timestamp: NOW,
        CloudWatchMetrics: [
          {
            Namespace: 'proxyflip',
            Dimensions: [['Stack', 'LoadBalancer']],
            Metrics: [
              { Name: 'Findings', Unit: 'Count' },
              { Name: 'Severity', Unit: 'None' },
            ],
          },
        ],
      },
      Stack: 'proxyflip',
      LoadBalancer: 'web',
      Findings: severities.length,
      Severity: value,
    });
  });
});
