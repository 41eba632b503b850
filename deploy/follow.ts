/** Follow a stack until it is at rest: its events, and behind the custom resource the runbook's steps. */
import type { CloudFormationClient, Stack, StackEvent } from '@aws-sdk/client-cloudformation';
import { GetAutomationExecutionCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { Clock } from '../functions/shared/clock.ts';
import { readState } from '../functions/shared/switch-state.ts';
import { describeEvent, isNews, isOfStack, nestedStack, newEvents, underWay } from './events.ts';
import { describeStack } from './stack.ts';
import { describeSwitch, type Runbook } from './switch-words.ts';

/** CloudFormation's calls are throttled per account: more often brings errors to others, and nobody reads faster. */
const POLL_MS = 2_000;
/** After so long without an event a person asks whether it still lives. */
const SILENCE_MS = 20_000;
/** Type of the resource that runs the switch. */
const SWITCH = 'Custom::ProxyProtocol';

export interface FollowDeps {
  readonly cloudFormation: CloudFormationClient;
  readonly ssm: SSMClient;
  readonly clock: Clock;
  /** A line, with the time since the beginning before it. */
  readonly say: (line: string) => void;
}

export interface Followed {
  /** undefined = it is gone. */
  readonly stack: Stack | undefined;
  /** Of this deployment, oldest first. */
  readonly events: readonly StackEvent[];
}

/**
 * @param stackId  by its id a stack is found when it is deleted, too
 * @param known    ids of events that were there before
 * @param runbook  that is being deployed: it explains its own steps
 */
export async function followStack(
  { cloudFormation, ssm, clock, say }: FollowDeps,
  stackId: string,
  known: ReadonlySet<string>,
  runbook: Runbook,
): Promise<Followed> {
  const seen = new Set(known);
  const stackIds = new Set([stackId]);
  const events: StackEvent[] = [];
  let saidAt = clock.now();
  let saidOfSwitch: readonly string[] = [];
  for (;;) {
    // Before the events: what is at rest now has had all of its events.
    const stack = await describeStack(cloudFormation, stackId);
    for (const event of await eventsOfAll()) {
      events.push(event);
      if (!isNews(event)) continue;
      say(describeEvent(event, stackId));
      saidAt = clock.now();
    }
    if (stack === undefined || isAtRest(stack, stackId, events)) return { stack, events };
    const waitsFor = underWay(events);
    const words = await wordsOfSwitch(
      ssm,
      waitsFor.find(({ ResourceType }) => ResourceType === SWITCH),
      runbook,
    );
    const news = words.filter((line) => !saidOfSwitch.includes(line));
    if (news.length > 0) {
      for (const line of news) say(`  ${line}`);
      saidOfSwitch = words;
      saidAt = clock.now();
    } else if (clock.now() - saidAt >= SILENCE_MS) {
      say(`  waiting for ${waitsFor.map(({ LogicalResourceId }) => LogicalResourceId).join(', ') || 'CloudFormation'}`);
      saidAt = clock.now();
    }
    await clock.sleep(POLL_MS);
  }

  /** In order, of the stacks that it nests as well: they are found by its events, and those that they nest by theirs. */
  async function eventsOfAll(): Promise<StackEvent[]> {
    const found: StackEvent[] = [];
    // A set that grows is walked to its end.
    for (const id of stackIds) {
      for (const event of await newEvents(cloudFormation, id, seen)) {
        seen.add(event.EventId ?? '');
        const nested = nestedStack(event);
        if (nested !== undefined) stackIds.add(nested);
        if (id === stackId || isOfThisDeployment(event, events[0] ?? found[0])) found.push(event);
      }
    }
    return found.sort((a, b) => Number(a.Timestamp) - Number(b.Timestamp));
  }
}

/** Of an event in a nested stack, which was there before, perhaps. What such a stack says of itself, the one around it says, too. */
const isOfThisDeployment = (event: StackEvent, first: StackEvent | undefined): boolean =>
  !isOfStack(event) && Number(event.Timestamp) >= Number(first?.Timestamp);

/** By its own event as well: for a moment behind ExecuteChangeSet the stack still says what it was. */
function isAtRest({ StackStatus }: Stack, stackId: string, events: readonly StackEvent[]): boolean {
  const last = events.findLast((event) => isOfStack(event) && event.StackId === stackId);
  return StackStatus?.endsWith('_IN_PROGRESS') !== true && last?.ResourceStatus === StackStatus;
}

/** Nothing is said where it cannot be read: the deployment does not depend on it. */
async function wordsOfSwitch(ssm: SSMClient, event: StackEvent | undefined, runbook: Runbook): Promise<string[]> {
  try {
    const { LoadBalancerName } = JSON.parse(event?.ResourceProperties ?? '{}') as { LoadBalancerName?: string };
    const stored = LoadBalancerName === undefined ? undefined : await readState(ssm, LoadBalancerName);
    if (stored === undefined) return [];
    const { AutomationExecution } = await ssm.send(
      new GetAutomationExecutionCommand({ AutomationExecutionId: stored.state.executionId }),
    );
    return AutomationExecution === undefined ? [] : describeSwitch(runbook, AutomationExecution, stored.state);
  } catch {
    return [];
  }
}
