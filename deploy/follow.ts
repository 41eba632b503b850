/** Follow a stack until it is at rest: its events, and behind the custom resource the runbook's steps. */
import type { CloudFormationClient, Stack, StackEvent } from '@aws-sdk/client-cloudformation';
import { GetAutomationExecutionCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { Clock } from '../functions/shared/clock.ts';
import { readState } from '../functions/shared/switch-state.ts';
import { describeEvent, isNews, isOfStack, newEvents, underWay } from './events.ts';
import { describeStack } from './stack.ts';
import { describeSwitch, type Runbook } from './switch-words.ts';

/** CloudFormation's calls are throttled per account: more often brings errors to others, and nobody reads faster. */
const POLL_MS = 2_000;
/** After so long without an event a person asks whether it still lives. */
const SILENCE_MS = 20_000;
/** Of the resource that runs the switch. */
const SWITCH = 'ProxyProtocol';

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
 * @param stackId           by its id a stack is found when it is deleted, too
 * @param known             ids of events that were there before
 * @param loadBalancerName  whose switch is waited for
 */
export async function followStack(
  { cloudFormation, ssm, clock, say }: FollowDeps,
  stackId: string,
  known: ReadonlySet<string>,
  loadBalancerName: string | undefined,
  runbook: Runbook,
): Promise<Followed> {
  const seen = new Set(known);
  const events: StackEvent[] = [];
  let saidAt = clock.now();
  let saidOfSwitch = '';
  for (;;) {
    // Before the events: what is at rest now has had all of its events.
    const stack = await describeStack(cloudFormation, stackId);
    for (const event of await newEvents(cloudFormation, stackId, seen)) {
      seen.add(event.EventId ?? '');
      events.push(event);
      if (!isNews(event)) continue;
      say(describeEvent(event));
      saidAt = clock.now();
    }
    if (stack === undefined || isAtRest(stack, events)) return { stack, events };
    const waitsFor = underWay(events);
    const words =
      waitsFor.includes(SWITCH) && loadBalancerName !== undefined
        ? await wordsOfSwitch(ssm, loadBalancerName, runbook)
        : undefined;
    if (words !== undefined && words !== saidOfSwitch) {
      say(`  ${words}`);
      saidOfSwitch = words;
      saidAt = clock.now();
    } else if (clock.now() - saidAt >= SILENCE_MS) {
      say(`  waiting for ${waitsFor.join(', ') || 'CloudFormation'}`);
      saidAt = clock.now();
    }
    await clock.sleep(POLL_MS);
  }
}

/** By its own event as well: for a moment behind ExecuteChangeSet the stack still says what it was. */
function isAtRest({ StackStatus }: Stack, events: readonly StackEvent[]): boolean {
  return StackStatus?.endsWith('_IN_PROGRESS') !== true && events.findLast(isOfStack)?.ResourceStatus === StackStatus;
}

/** Nothing is said where it cannot be read: the deployment does not depend on it. */
async function wordsOfSwitch(ssm: SSMClient, loadBalancerName: string, runbook: Runbook): Promise<string | undefined> {
  try {
    const stored = await readState(ssm, loadBalancerName);
    if (stored === undefined) return undefined;
    const { AutomationExecution } = await ssm.send(
      new GetAutomationExecutionCommand({ AutomationExecutionId: stored.state.executionId }),
    );
    return AutomationExecution === undefined ? undefined : describeSwitch(runbook, AutomationExecution, stored.state);
  } catch {
    return undefined;
  }
}
