/** The tables of CloudWatch's user guide, "Configuring how CloudWatch alarms treat missing data": 0 is fine, X breaches, - is missing. */
import { describe, expect, test } from '@jest/globals';
import { type AlarmState, evaluate, type MissingData } from '../../../rehearsal/cloudwatch/evaluate.ts';

const TREATMENTS: readonly MissingData[] = ['missing', 'ignore', 'breaching', 'notBreaching'];
const KEPT = 'kept';

function states(points: string, datapointsToAlarm: number): string[] {
  const values = points.split(' ').map((point) => (point === '-' ? undefined : point === 'X' ? 1 : 0));
  return TREATMENTS.map((treatMissingData) => {
    const rule = {
      evaluationPeriods: 3,
      datapointsToAlarm,
      treatMissingData,
      isBreaching: (value: number) => value > 0,
    };
    const [fromOk, fromAlarm] = (['OK', 'ALARM'] as AlarmState[]).map((current) => evaluate(values, rule, current));
    return fromOk === fromAlarm ? String(fromOk) : KEPT;
  });
}

const [OK, ALARM, NO_DATA] = ['OK', 'ALARM', 'INSUFFICIENT_DATA'];

describe('three of three', () => {
  test.each([
    ['0 - X - X', OK, OK, OK, OK],
    ['0 - - - -', OK, OK, OK, OK],
    ['- - - - -', NO_DATA, KEPT, ALARM, OK],
    ['0 X X - X', ALARM, ALARM, ALARM, ALARM],
    ['- - X - -', ALARM, KEPT, ALARM, OK],
  ])('%s', (points, ...expected) => expect(states(points, 3)).toEqual(expected));
});

describe('two of three', () => {
  test.each([
    ['0 - X - X', ALARM, ALARM, ALARM, ALARM],
    ['0 0 X 0 X', ALARM, ALARM, ALARM, ALARM],
    ['0 - X - -', OK, OK, ALARM, OK],
    ['- - - - 0', OK, OK, ALARM, OK],
    ['- - - - X', ALARM, KEPT, ALARM, OK],
  ])('%s', (points, ...expected) => expect(states(points, 2)).toEqual(expected));
});
