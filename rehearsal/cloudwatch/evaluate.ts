/**
 * What an alarm's state is, from the datapoints that it looks at.
 *
 * Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data", whose two tables are the tests of this file,
 * and "How alarm state is evaluated when data is missing".
 */

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
export type MissingData = 'breaching' | 'notBreaching' | 'ignore' | 'missing';

export interface Rule {
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly treatMissingData: MissingData;
  readonly isBreaching: (value: number) => boolean;
}

/**
 * "CloudWatch attempts to retrieve a higher number of data points than the number specified as Evaluation Periods": how many more it
 * does not say; the tables have five for three.
 */
export const EXTRA_PERIODS = 2;

/**
 * @param values   one for each period of the evaluation range, oldest first; undefined = missing
 * @param current  the state that is kept where the rule says so
 */
export function evaluate(values: readonly (number | undefined)[], rule: Rule, current: AlarmState): AlarmState {
  const real = values.filter((value) => value !== undefined).slice(-rule.evaluationPeriods);
  const filled = rule.evaluationPeriods - real.length;
  const breaching = real.filter(rule.isBreaching).length;
  const wanted = rule.datapointsToAlarm;
  switch (rule.treatMissingData) {
    case 'breaching':
      return breaching + filled >= wanted ? 'ALARM' : 'OK';
    case 'notBreaching':
      return breaching >= wanted ? 'ALARM' : 'OK';
    case 'missing':
      if (real.length === 0) return 'INSUFFICIENT_DATA';
      return breaching >= wanted || breaching === real.length ? 'ALARM' : 'OK';
    case 'ignore':
      if (breaching >= wanted) return 'ALARM';
      return breaching === real.length ? current : 'OK';
    default: {
      const never: never = rule.treatMissingData;
      throw new Error(`no such treatment of missing data: ${never}`);
    }
  }
}

const COMPARISONS: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  GreaterThanThreshold: (value, threshold) => value > threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
};

/** @returns undefined for an operator that there is not, or that needs a band of anomalies */
export function comparison(operator: string): ((value: number, threshold: number) => boolean) | undefined {
  return COMPARISONS[operator];
}
