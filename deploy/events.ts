/** A stack's events in words. */
import { type CloudFormationClient, DescribeStackEventsCommand, type StackEvent } from '@aws-sdk/client-cloudformation';

/** @param known  ids of events that were seen already @returns the others, oldest first */
export async function newEvents(
  cloudFormation: CloudFormationClient,
  stackId: string,
  known: ReadonlySet<string>,
): Promise<StackEvent[]> {
  const found: StackEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await cloudFormation.send(
      new DescribeStackEventsCommand({ StackName: stackId, NextToken: nextToken }),
    );
    const events = page.StackEvents ?? [];
    const unknown = events.filter(({ EventId = '' }) => !known.has(EventId));
    found.push(...unknown);
    // Newest first: behind a known one there are only known ones.
    nextToken = unknown.length < events.length ? undefined : page.NextToken;
  } while (nextToken !== undefined);
  return found.reverse();
}

const STACK = 'AWS::CloudFormation::Stack';

/** Of the stack itself; a nested one is a resource of the same type. */
export const isOfStack = ({ PhysicalResourceId, StackId }: StackEvent): boolean => PhysicalResourceId === StackId;

/** @returns the id of a stack that this event tells of as a resource; undefined until it has one */
export const nestedStack = (event: StackEvent): string | undefined =>
  event.ResourceType === STACK && !isOfStack(event) ? event.PhysicalResourceId || undefined : undefined;

/** CloudFormation tells of each resource a second time, once the service has taken the request; of a person's view that is an echo. */
export const isNews = ({ ResourceStatusReason }: StackEvent): boolean =>
  ResourceStatusReason !== 'Resource creation Initiated';

/** @param stackId  of the stack that is deployed; what is in one that it nests is told with that one's name */
export function describeEvent(event: StackEvent, stackId: string): string {
  const { LogicalResourceId, ResourceType, ResourceStatus, ResourceStatusReason } = event;
  const what = isOfStack(event) ? 'stack' : ResourceType;
  const where = event.StackId === stackId ? LogicalResourceId : `${event.StackName}/${LogicalResourceId}`;
  return [`${ResourceStatus}`.padEnd(20), what, where, ResourceStatusReason].filter(Boolean).join('  ');
}

/** The latest event of each resource that is being worked on, in the order in which that began; of a nested stack only what is in it. */
export function underWay(events: readonly StackEvent[]): StackEvent[] {
  const latest = new Map<string, StackEvent>();
  for (const event of events.filter(({ ResourceType }) => ResourceType !== STACK)) {
    const id = `${event.StackId} ${event.LogicalResourceId}`;
    latest.delete(id);
    latest.set(id, event);
  }
  return [...latest.values()].filter(({ ResourceStatus = '' }) => ResourceStatus.endsWith('_IN_PROGRESS'));
}

/** Why it failed: the failures that are not only the echo of another, in the same stack or in one that it nests. */
export function causes(events: readonly StackEvent[]): string[] {
  return events
    .filter((event) => !isOfStack(event) && event.ResourceStatus?.endsWith('_FAILED'))
    .filter(({ ResourceStatusReason = '' }) => !ECHO.test(ResourceStatusReason))
    .map(({ LogicalResourceId, ResourceStatusReason }) => `${LogicalResourceId}: ${ResourceStatusReason}`);
}

const ECHO = /^Resource (creation|update) cancelled$|^Embedded stack .* was not successfully/;
