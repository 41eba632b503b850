import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { cancelPoints } from '../../../rehearsal/scenarios/cancel-points.ts';

interface Step {
  readonly name: string;
  readonly inputs: { readonly Steps?: readonly Step[] };
}

describe('the points at which a run is cancelled', () => {
  const document = parse(readFileSync('ssm-documents/switch.yml', 'utf8')) as { mainSteps: Step[] };
  const points = cancelPoints(document as unknown as Parameters<typeof cancelPoints>[0]);

  test('are the beginning of every step of the runbook, those inside its loops too', () => {
    const names = document.mainSteps.flatMap((step) => [
      step.name,
      ...(step.inputs.Steps ?? []).map(({ name }) => name),
    ]);
    expect(points.filter(({ where }) => where === 'at the beginning of').map(({ step }) => step)).toEqual(names);
  });

  test('and the middle of every shell step', () => {
    expect(points.filter(({ where }) => where === 'in the middle of').map(({ step }) => step)).toEqual([
      'SurveyReceivers',
      'AcceptBoth',
      'MeasureReceivers',
      'TakeFinalMode',
      'AskHealth',
      'RestoreReceivers',
    ]);
  });

  test.each([
    ['RefuseHealthCheck', 'the way of a health check that does not fit'],
    ['EndSwitch', 'the short way'],
    ['WaitForFleet', 'the way'],
    ['Finish', 'the way'],
    ['FinishUnchanged', 'the short way'],
    ['ForgetLoadBalancer', 'the way of a load balancer that is gone'],
    ['Undo', 'the way back'],
    ['Undone', 'the way back'],
  ])('%s is come to on %s', (step, on) => {
    expect(points.find((point) => point.step === step)?.on).toBe(on);
  });
});
