/** EventBridge: the default bus, rules by pattern and by schedule, functions and topics as targets. */
import type { Dispatcher, Service } from '../aws/service.ts';
import { deleteRule } from './actions/delete-rule.ts';
import { describeRule } from './actions/describe-rule.ts';
import { enableRule } from './actions/enable-rule.ts';
import { listRules } from './actions/list-rules.ts';
import { listTargetsByRule } from './actions/list-targets-by-rule.ts';
import { putEvents } from './actions/put-events.ts';
import { putRule } from './actions/put-rule.ts';
import { putTargets } from './actions/put-targets.ts';
import { removeTargets } from './actions/remove-targets.ts';
import { testEventPattern } from './actions/test-event-pattern.ts';
import { Bus } from './bus.ts';
import type { Delivery } from './delivery.ts';
import type { BusEvent } from './input.ts';
import type { EventsParts } from './parts.ts';
import { RuleStore } from './rule-store.ts';

export interface EventsService extends Service {
  /** What was put, oldest first; scheduled events are not among them. */
  readonly events: readonly BusEvent[];
  /** What went to targets, oldest first. */
  readonly deliveries: readonly Delivery[];
  /** Trigger a rule as its schedule does, now: a scenario that cannot wait. @throws ServiceError ResourceNotFoundException */
  runSchedule(ruleName: string): void;
  /** Trigger what is due at that time. */
  tick(now: number): void;
  /** Resolves when nothing is on its way to a target. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface EventsOptions {
  readonly dispatcher: () => Dispatcher;
  readonly now?: () => number;
  /** Default 1,000: schedules are kept to the second. 0 = only when told to. Unit: milliseconds. */
  readonly tickEveryMs?: number;
  /** The wait before an event is sent to a target again. AWS says no figure. Default 1,000. Unit: milliseconds. */
  readonly firstRetryMs?: number;
  /** Where a delivery has ended: for `AWS/Events`. */
  readonly onDelivered?: (delivery: Delivery) => void;
}

export function createEventsService({
  dispatcher,
  now = Date.now,
  tickEveryMs = 1000,
  firstRetryMs = 1000,
  onDelivered = () => {},
}: EventsOptions): EventsService {
  const closing = new AbortController();
  const rules = new RuleStore(now);
  const bus = new Bus(rules, { dispatcher, now, firstRetryMs, onDelivered, closing: closing.signal });
  const timer = tickEveryMs === 0 ? undefined : setInterval(() => bus.tick(now()), tickEveryMs).unref();
  const parts: EventsParts = { rules, bus };
  return {
    signingName: 'events',
    protocol: 'awsJson1_1',
    events: bus.events,
    deliveries: bus.deliveries,
    runSchedule: (ruleName) => bus.run(rules.get(ruleName), now()),
    tick: (at) => bus.tick(at),
    settled: () => bus.settled(),
    async close() {
      clearInterval(timer);
      closing.abort();
      await bus.settled();
    },
    actions: {
      DeleteRule: deleteRule(parts),
      DescribeRule: describeRule(parts),
      DisableRule: enableRule(false)(parts),
      EnableRule: enableRule(true)(parts),
      ListRules: listRules(parts),
      ListTargetsByRule: listTargetsByRule(parts),
      PutEvents: putEvents(parts),
      PutRule: putRule(parts),
      PutTargets: putTargets(parts),
      RemoveTargets: removeTargets(parts),
      TestEventPattern: testEventPattern(),
    },
  };
}
