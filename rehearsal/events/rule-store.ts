/** Rules of the default bus and their targets. */
import type { PutRuleRequest, Target } from '@aws-sdk/client-eventbridge';
import { ServiceError } from '../aws/service.ts';
import { ACCOUNT_ID, REGION } from '../world.ts';
import { type Matcher, readPattern } from './pattern.ts';
import { readSchedule, type Schedule } from './schedule.ts';

export interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  readonly eventPattern: string | undefined;
  readonly scheduleExpression: string | undefined;
  readonly isMatch: Matcher | undefined;
  readonly schedule: Schedule | undefined;
  readonly targets: Map<string, Target>;
  isEnabled: boolean;
  /** When its schedule is due next. Milliseconds since the epoch. */
  dueAt: number;
}

export const BUS = 'default';

/** Source: EventBridge quotas, "Targets per rule". */
const MAX_TARGETS = 5;

export class RuleStore {
  readonly #rules = new Map<string, Rule>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A rule again: "the existing rule is replaced … arguments that you omit are removed"; its targets stay. */
  put(input: PutRuleRequest): Rule {
    const { Name = '', EventPattern, ScheduleExpression, State = 'ENABLED', Description } = input;
    if (!/^[.\-_A-Za-z0-9]{1,64}$/.test(Name))
      throw validation(`Value '${Name}' at 'name' must match [\\.\\-_A-Za-z0-9]+`);
    if (EventPattern === undefined && ScheduleExpression === undefined) {
      throw validation('Parameter(s) EventPattern or ScheduleExpression must be specified.');
    }
    if (State !== 'ENABLED' && State !== 'DISABLED') throw validation(`State ${State} is not in the rehearsal`);
    const schedule = ScheduleExpression === undefined ? undefined : readSchedule(ScheduleExpression);
    const rule: Rule = {
      name: Name,
      arn: `arn:aws:events:${REGION}:${ACCOUNT_ID}:rule/${Name}`,
      description: Description,
      eventPattern: EventPattern,
      scheduleExpression: ScheduleExpression,
      isMatch: EventPattern === undefined ? undefined : readPattern(EventPattern),
      schedule,
      targets: this.#rules.get(Name)?.targets ?? new Map(),
      isEnabled: State === 'ENABLED',
      dueAt: schedule?.(this.#now()) ?? Number.POSITIVE_INFINITY,
    };
    this.#rules.set(Name, rule);
    return rule;
  }

  /** @throws ServiceError ResourceNotFoundException */
  get(name: string): Rule {
    const rule = this.#rules.get(name);
    if (rule === undefined) {
      throw new ServiceError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus ${BUS}.`);
    }
    return rule;
  }

  has(name: string): boolean {
    return this.#rules.has(name);
  }

  /** Of one that is gone: succeeds. */
  delete(name: string): void {
    if ((this.#rules.get(name)?.targets.size ?? 0) > 0) throw validation(`Rule can't be deleted since it has targets.`);
    this.#rules.delete(name);
  }

  all(): readonly Rule[] {
    return [...this.#rules.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  putTargets(rule: Rule, targets: readonly Target[]): void {
    for (const target of targets) checkTarget(target);
    const ids = new Set([...rule.targets.keys(), ...targets.map(({ Id = '' }) => Id)]);
    if (ids.size > MAX_TARGETS) {
      throw new ServiceError('LimitExceededException', 'The requested resource exceeds the maximum number allowed.');
    }
    for (const target of targets) rule.targets.set(target.Id ?? '', target);
  }
}

const TARGET = ['Id', 'Arn', 'Input', 'InputPath', 'InputTransformer', 'RetryPolicy'];

function checkTarget(target: Target): void {
  const { Id, Arn = '', Input, InputPath, InputTransformer, RetryPolicy } = target;
  for (const [name, value] of Object.entries(target)) {
    if (value !== undefined && !TARGET.includes(name))
      throw validation(`The rehearsal's targets have no ${name} (target ${Id})`);
  }
  if (!/^arn:aws:(lambda:[\w-]+:\d{12}:function|sns:[\w-]+:\d{12}):[\w-]+$/.test(Arn)) {
    throw validation(`The rehearsal's targets are functions and topics, not ${Arn} (target ${Id})`);
  }
  if ([Input, InputPath, InputTransformer].filter((each) => each !== undefined).length > 1) {
    throw validation(`Only one of Input, InputPath, or InputTransformer must be provided for target ${Id}.`);
  }
  if (Input !== undefined) {
    try {
      JSON.parse(Input);
    } catch {
      throw validation(`JSON syntax error in input for target ${Id}`);
    }
  }
  const { MaximumRetryAttempts: attempts = 185, MaximumEventAgeInSeconds: age = 86_400 } = RetryPolicy ?? {};
  if (attempts < 0 || attempts > 185 || age < 60 || age > 86_400)
    throw validation(`RetryPolicy of target ${Id} is out of range`);
}

const validation = (message: string) => new ServiceError('ValidationException', message);
