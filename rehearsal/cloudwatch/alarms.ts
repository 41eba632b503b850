/**
 * Alarms on one metric each: kept, looked at once a minute, and telling their topics when their state changes.
 *
 * Source: CloudWatch user guide, "Using Amazon CloudWatch alarms"; the text of the message is as SNS subscribers get it.
 */
import type { AlarmHistoryItem, MetricAlarm, PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch';
import { ServiceError } from '../aws/service.ts';
import { ACCOUNT_ID, REGION } from '../world.ts';
import { type AlarmState, comparison, EXTRA_PERIODS, evaluate, type MissingData } from './evaluate.ts';
import { type Datapoint, isStatistic, type MetricStore } from './metric-store.ts';

export interface Alarm {
  readonly name: string;
  readonly arn: string;
  readonly input: PutMetricAlarmInput;
  readonly rule: AlarmRule;
  readonly configuredAt: number;
  actionsEnabled: boolean;
  state: AlarmState;
  reason: string;
  reasonData: string;
  updatedAt: number;
}

/** What the evaluation takes from the input, checked. */
interface AlarmRule {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: string;
  readonly unit: string | undefined;
  readonly periodSeconds: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly threshold: number;
  readonly operator: string;
  readonly treatMissingData: MissingData;
}

/** Tell one target of a change. @param message  the JSON text that subscribers get */
export type NotifyAction = (alarmArn: string, actionArn: string, subject: string, message: string) => Promise<void>;

export interface AlarmStoreOptions {
  readonly metrics: MetricStore;
  readonly now: () => number;
  readonly notify: NotifyAction;
}

const MISSING_DATA: readonly MissingData[] = ['breaching', 'notBreaching', 'ignore', 'missing'];

export class AlarmStore {
  readonly #alarms = new Map<string, Alarm>();
  readonly #history: AlarmHistoryItem[] = [];
  readonly #options: AlarmStoreOptions;

  constructor(options: AlarmStoreOptions) {
    this.#options = options;
  }

  /** @throws ServiceError  what the service refuses, and what this rehearsal does not evaluate */
  put(input: PutMetricAlarmInput): void {
    const rule = readRule(input);
    const at = this.#options.now();
    const name = input.AlarmName ?? '';
    const before = this.#alarms.get(name);
    this.#alarms.set(name, {
      name,
      arn: `arn:aws:cloudwatch:${REGION}:${ACCOUNT_ID}:alarm:${name}`,
      input,
      rule,
      configuredAt: at,
      actionsEnabled: input.ActionsEnabled ?? true,
      // "When you update an existing alarm, its state is left unchanged."
      state: before?.state ?? 'INSUFFICIENT_DATA',
      reason: before?.reason ?? 'Unchecked: Initial alarm creation',
      reasonData: before?.reasonData ?? '',
      updatedAt: before?.updatedAt ?? at,
    });
    this.#note(name, 'ConfigurationUpdate', `Alarm "${name}" ${before === undefined ? 'created' : 'updated'}`, '{}');
  }

  /** @throws ServiceError ResourceNotFound */
  get(name: string): Alarm {
    const alarm = this.#alarms.get(name);
    if (alarm === undefined) throw new ServiceError('ResourceNotFound', `Alarm ${name} does not exist`, 404);
    return alarm;
  }

  has(name: string): boolean {
    return this.#alarms.has(name);
  }

  delete(name: string): void {
    this.#alarms.delete(name);
  }

  /** By name. */
  all(): readonly Alarm[] {
    return [...this.#alarms.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Newest first. */
  get history(): readonly AlarmHistoryItem[] {
    return [...this.#history].reverse();
  }

  /** Look at every alarm as CloudWatch does at that time: at whole minutes, and at periods that have ended. */
  async evaluateAll(at: number): Promise<void> {
    const end = Math.floor(at / 60_000) * 60_000;
    await Promise.all(
      this.all().map((alarm) => {
        const values = this.#values(alarm.rule, end);
        const state = evaluate(
          values.map((each) => each?.value),
          { ...alarm.rule, isBreaching: isBreaching(alarm.rule) },
          alarm.state,
        );
        return state === alarm.state ? undefined : this.change(alarm, state, reasonOf(alarm.rule, values, state));
      }),
    );
  }

  async change(alarm: Alarm, state: AlarmState, reason: string, reasonData = '{}'): Promise<void> {
    const before = alarm.state;
    alarm.state = state;
    alarm.reason = reason;
    alarm.reasonData = reasonData;
    alarm.updatedAt = this.#options.now();
    this.#note(
      alarm.name,
      'StateUpdate',
      `Alarm updated from ${before} to ${state}`,
      JSON.stringify({ oldState: { stateValue: before }, newState: { stateValue: state, stateReason: reason } }),
    );
    if (!alarm.actionsEnabled) return;
    const { AlarmActions = [], OKActions = [], InsufficientDataActions = [] } = alarm.input;
    const actions = { ALARM: AlarmActions, OK: OKActions, INSUFFICIENT_DATA: InsufficientDataActions }[state];
    const subject = `${state}: "${alarm.name}" in EU (Frankfurt)`;
    for (const action of actions) {
      const outcome = await this.#options.notify(alarm.arn, action, subject, message(alarm, before)).then(
        () => `Successfully executed action ${action}`,
        (error: Error) => `Failed to execute action ${action}. Received error: "${error.message}"`,
      );
      this.#note(alarm.name, 'Action', outcome, '{}');
    }
  }

  #values(rule: AlarmRule, end: number): (Datapoint | undefined)[] {
    const periodMs = rule.periodSeconds * 1000;
    const periods = rule.evaluationPeriods + EXTRA_PERIODS;
    const from = end - periods * periodMs;
    const found = this.#options.metrics.datapoints(
      { namespace: rule.namespace, name: rule.metricName, dimensions: rule.dimensions },
      { from, to: end, periodSeconds: rule.periodSeconds, statistic: rule.statistic, unit: rule.unit },
    );
    return Array.from({ length: periods }, (_, index) => found.find(({ at }) => at === from + index * periodMs));
  }

  #note(
    AlarmName: string,
    HistoryItemType: 'ConfigurationUpdate' | 'StateUpdate' | 'Action',
    summary: string,
    data: string,
  ) {
    this.#history.push({
      AlarmName,
      AlarmType: 'MetricAlarm',
      Timestamp: new Date(this.#options.now()),
      HistoryItemType,
      HistorySummary: summary,
      HistoryData: data,
    });
  }
}

function readRule(input: PutMetricAlarmInput): AlarmRule {
  const { Namespace, MetricName, Statistic, ExtendedStatistic, Period, Threshold, ComparisonOperator = '' } = input;
  const { EvaluationPeriods = 0, DatapointsToAlarm, TreatMissingData = 'missing', Dimensions = [] } = input;
  if (!/^[ -~]{1,255}$/.test(input.AlarmName ?? ''))
    throw invalid(`AlarmName ${input.AlarmName} must be 1 to 255 characters`);
  if (
    input.Metrics !== undefined ||
    input.ThresholdMetricId !== undefined ||
    input.EvaluateLowSampleCountPercentile !== undefined
  ) {
    throw new ServiceError(
      'InvalidParameterCombination',
      'The rehearsal evaluates alarms on one metric: it has no metric math, no anomaly bands and no low sample counts',
    );
  }
  if (comparison(ComparisonOperator) === undefined)
    throw invalid(`ComparisonOperator ${ComparisonOperator} is not there`);
  if (Namespace === undefined || MetricName === undefined) throw missing('Namespace and MetricName');
  if (Threshold === undefined) throw missing('Threshold');
  if (Period === undefined) throw missing('Period');
  if (Period !== 10 && Period !== 20 && Period !== 30 && (Period < 60 || Period % 60 !== 0)) {
    throw invalid(`Period ${Period} must be 10, 20, 30 or a multiple of 60`);
  }
  if ((Statistic === undefined) === (ExtendedStatistic === undefined)) {
    throw new ServiceError(
      'InvalidParameterCombination',
      'Exactly one of Statistic and ExtendedStatistic must be specified',
    );
  }
  const statistic = Statistic ?? ExtendedStatistic ?? '';
  if (!isStatistic(statistic)) throw invalid(`Statistic ${statistic} is not there`);
  if (!Number.isInteger(EvaluationPeriods) || EvaluationPeriods < 1)
    throw invalid('EvaluationPeriods must be 1 or more');
  if (DatapointsToAlarm !== undefined && (DatapointsToAlarm < 1 || DatapointsToAlarm > EvaluationPeriods)) {
    throw invalid(`DatapointsToAlarm ${DatapointsToAlarm} must be 1 to EvaluationPeriods`);
  }
  // "Metrics checked … cannot be longer than a day", and of an hour or more a week.
  if (EvaluationPeriods * Period > (Period >= 3600 ? 604_800 : 86_400)) {
    throw invalid('Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)');
  }
  const treatMissingData = MISSING_DATA.find((each) => each === TreatMissingData);
  if (treatMissingData === undefined)
    throw invalid(`TreatMissingData ${TreatMissingData} must be one of ${MISSING_DATA.join(', ')}`);
  const { AlarmActions = [], OKActions = [], InsufficientDataActions = [] } = input;
  for (const action of [...AlarmActions, ...OKActions, ...InsufficientDataActions]) {
    if (!/^arn:aws:sns:[\w-]+:\d{12}:[\w-]+$/.test(action))
      throw invalid(`The rehearsal's alarms tell topics alone, not ${action}`);
  }
  return {
    namespace: Namespace,
    metricName: MetricName,
    dimensions: Object.fromEntries(Dimensions.map(({ Name = '', Value = '' }) => [Name, Value])),
    statistic,
    unit: input.Unit,
    periodSeconds: Period,
    evaluationPeriods: EvaluationPeriods,
    datapointsToAlarm: DatapointsToAlarm ?? EvaluationPeriods,
    threshold: Threshold,
    operator: ComparisonOperator,
    treatMissingData,
  };
}

function isBreaching({ operator, threshold }: AlarmRule): (value: number) => boolean {
  return (value) => comparison(operator)?.(value, threshold) ?? false;
}

const IN_WORDS: Readonly<Record<string, string>> = {
  GreaterThanOrEqualToThreshold: 'greater than or equal to',
  GreaterThanThreshold: 'greater than',
  LessThanThreshold: 'less than',
  LessThanOrEqualToThreshold: 'less than or equal to',
};

function reasonOf(rule: AlarmRule, values: readonly (Datapoint | undefined)[], state: AlarmState): string {
  const real = values.flatMap((each) => (each === undefined ? [] : [each])).slice(-rule.evaluationPeriods);
  if (state === 'INSUFFICIENT_DATA') return `Insufficient Data: ${rule.evaluationPeriods} datapoints were unknown.`;
  const missing = rule.evaluationPeriods - real.length;
  if (real.length === 0) {
    const treated = rule.treatMissingData === 'breaching' ? 'Breaching' : 'NonBreaching';
    return `Threshold Crossed: no datapoints were received for ${missing} period${missing === 1 ? '' : 's'} and ${missing} missing datapoint${missing === 1 ? ' was' : 's were'} treated as [${treated}].`;
  }
  const shown = real.map(({ value, at }) => `${value} (${new Date(at).toISOString()})`).join(', ');
  const not = state === 'ALARM' ? '' : 'not ';
  const were = real.length === 1 ? '1 datapoint' : `${real.length} datapoints`;
  return `Threshold Crossed: ${were} [${shown}] ${real.length === 1 ? 'was' : 'were'} ${not}${IN_WORDS[rule.operator]} the threshold (${rule.threshold}).`;
}

function message({ name, arn, input, rule, state, reason, updatedAt }: Alarm, before: AlarmState): string {
  return JSON.stringify({
    AlarmName: name,
    AlarmDescription: input.AlarmDescription ?? null,
    AWSAccountId: ACCOUNT_ID,
    AlarmConfigurationUpdatedTimestamp: new Date(updatedAt).toISOString(),
    NewStateValue: state,
    NewStateReason: reason,
    StateChangeTime: new Date(updatedAt).toISOString(),
    Region: 'EU (Frankfurt)',
    AlarmArn: arn,
    OldStateValue: before,
    OKActions: input.OKActions ?? [],
    AlarmActions: input.AlarmActions ?? [],
    InsufficientDataActions: input.InsufficientDataActions ?? [],
    Trigger: {
      MetricName: rule.metricName,
      Namespace: rule.namespace,
      StatisticType: input.Statistic === undefined ? 'ExtendedStatistic' : 'Statistic',
      Statistic: rule.statistic.toUpperCase(),
      Unit: rule.unit ?? null,
      Dimensions: Object.entries(rule.dimensions).map(([dimension, value]) => ({ value, name: dimension })),
      Period: rule.periodSeconds,
      EvaluationPeriods: rule.evaluationPeriods,
      DatapointsToAlarm: rule.datapointsToAlarm,
      ComparisonOperator: rule.operator,
      Threshold: rule.threshold,
      TreatMissingData: rule.treatMissingData,
      EvaluateLowSampleCountPercentile: '',
    },
  });
}

/** As DescribeAlarms answers it. */
export function describeAlarm(alarm: Alarm): MetricAlarm {
  const { Tags: _, ...input } = alarm.input;
  return {
    ...input,
    AlarmArn: alarm.arn,
    ActionsEnabled: alarm.actionsEnabled,
    AlarmConfigurationUpdatedTimestamp: new Date(alarm.configuredAt),
    StateValue: alarm.state,
    StateReason: alarm.reason,
    ...(alarm.reasonData === '' ? {} : { StateReasonData: alarm.reasonData }),
    StateUpdatedTimestamp: new Date(alarm.updatedAt),
    StateTransitionedTimestamp: new Date(alarm.updatedAt),
    OKActions: input.OKActions ?? [],
    AlarmActions: input.AlarmActions ?? [],
    InsufficientDataActions: input.InsufficientDataActions ?? [],
    Dimensions: input.Dimensions ?? [],
  };
}

const invalid = (message: string) => new ServiceError('InvalidParameterValue', message);
const missing = (what: string) => new ServiceError('MissingParameter', `${what} must be specified`);
