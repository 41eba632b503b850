/** cloudformation/resources/drift.yaml: what is there, when, and what it goes off at. */
import { describe, expect, test } from '@jest/globals';
import { readTemplate } from '../template.ts';

const template = readTemplate();
const withCondition = (condition: string): string[] =>
  Object.entries(template.Resources)
    .filter(([, each]) => each.Condition === condition)
    .map(([name]) => name)
    .sort();

test('without a schedule nothing wakes the check, and nothing goes off because it does not run', () => {
  expect(template.Conditions.HasDriftSchedule).toEqual({
    'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'DriftCheckSchedule' }, '0'] }],
  });
  expect(withCondition('HasDriftSchedule')).toEqual([
    'DriftCheckStoppedAlarm',
    'DriftLastsAlarm',
    'DriftSchedule',
    'DriftScheduleMayInvoke',
    'EveryRequestFailsAlarm',
    'SomeRequestsFailAlarm',
  ]);
});

test('nothing remediates unless it is asked to', () => {
  expect(template.Parameters.Remediation?.Default).not.toBe('Automatic');
  expect(template.Conditions.HasRemediation).toEqual({ 'Fn::Equals': [{ Ref: 'Remediation' }, 'Automatic'] });
  const functions = Object.entries(template.Resources).filter(([, each]) => each.Type === 'AWS::Lambda::Function');
  const remediation = functions.filter(([name]) => /Remediation/.test(name)).map(([name]) => name);
  expect(remediation).toEqual(['DriftRemediationFunction']);
  expect(withCondition('HasRemediation')).toContain('DriftRemediationFunction');
});

describe('alarms', () => {
  const alarms = Object.entries(template.Resources).filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm');

  test.each(alarms)('%s goes off when the metric stops, and people hear of it and of its end', (_name, alarm) => {
    expect(alarm.Properties).toMatchObject({
      TreatMissingData: 'breaching',
      AlarmActions: [{ Ref: 'DriftTopic' }],
      OKActions: [{ Ref: 'DriftTopic' }],
    });
  });

  test('one counts the runs that came to their end: two half hours without any', () => {
    expect(template.Resources.DriftCheckStoppedAlarm?.Properties).toMatchObject({
      MetricName: 'LoadBalancersInScope',
      Statistic: 'SampleCount',
      Period: 1800,
      EvaluationPeriods: 2,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
    });
    expect(alarms.length).toBe(4);
  });
});
