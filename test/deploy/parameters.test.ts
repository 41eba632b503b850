import { describe, expect, test } from '@jest/globals';
import { requireNames, stackParameters } from '../../deploy/parameters.ts';

const DECLARED = {
  ArtifactBucket: { Default: 'new-bucket' },
  LoadBalancerName: { Default: '' },
  QuietSeconds: { Default: 30 },
  Needed: {},
};

describe('the stack’s parameters', () => {
  test('of a new stack are what is given, and the template’s defaults', () => {
    const { request, values, changed } = stackParameters(DECLARED, undefined, { Needed: 'x' });

    expect(values).toEqual({ ArtifactBucket: 'new-bucket', LoadBalancerName: '', QuietSeconds: '30', Needed: 'x' });
    expect(request).toContainEqual({ ParameterKey: 'QuietSeconds', ParameterValue: '30' });
    expect(changed).toEqual([]);
  });

  test('of a stack that is there stay what they are, but for those given, and where the artifacts are', () => {
    const before = { ArtifactBucket: 'old-bucket', LoadBalancerName: 'web', QuietSeconds: '5', Needed: 'x', Gone: '1' };
    const { request, values, changed } = stackParameters(DECLARED, before, { QuietSeconds: '60' });

    expect(request).toEqual([
      { ParameterKey: 'ArtifactBucket', ParameterValue: 'new-bucket' },
      { ParameterKey: 'LoadBalancerName', UsePreviousValue: true },
      { ParameterKey: 'QuietSeconds', ParameterValue: '60' },
      { ParameterKey: 'Needed', UsePreviousValue: true },
    ]);
    expect(values.LoadBalancerName).toBe('web');
    expect(changed).toEqual([
      { name: 'ArtifactBucket', before: 'old-bucket', after: 'new-bucket' },
      { name: 'QuietSeconds', before: '5', after: '60' },
    ]);
  });

  test('that the template does not have are refused, all by name', () => {
    expect(() => stackParameters(DECLARED, undefined, { Quiet: '1', Load: '2', Needed: '' })).toThrow(
      'ERR_PARAMETER: the template has no parameter Quiet, Load. It has ArtifactBucket, LoadBalancerName, QuietSeconds, Needed.',
    );
  });

  test('that are needed and not given are named', () => {
    expect(() => stackParameters(DECLARED, {}, {})).toThrow('ERR_PARAMETER: the template needs Needed.');
  });

  test.each([
    [{ SwitchFromStack: 'Yes', LoadBalancerName: '', FleetTagValue: '' }, '--load-balancer NAME and --fleet-tag'],
    [{ SwitchFromStack: 'Yes', LoadBalancerName: 'web', FleetTagValue: '' }, 'ERR_PARAMETER: --fleet-tag KEY=VALUE'],
  ])('%j has not the names that a switch needs', (values, what) => expect(() => requireNames(values)).toThrow(what));

  test.each([
    { SwitchFromStack: 'Yes', LoadBalancerName: 'web', FleetTagValue: 'x' },
    { SwitchFromStack: 'No', LoadBalancerName: '', FleetTagValue: '' },
    {},
  ])('%j has all that it needs', (values) => expect(() => requireNames(values)).not.toThrow());
});
