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

/** Of the stack itself; a nested one has the same type. */
export const isOfStack = ({ PhysicalResourceId, StackId }: StackEvent): boolean => PhysicalResourceId === StackId;

/** CloudFormation tells of each resource a second time, once the service has taken the request; of a person's view that is an echo. */
export const isNews = ({ ResourceStatusReason }: StackEvent): boolean =>
  ResourceStatusReason !== 'Resource creation Initiated';

export function describeEvent(event: StackEvent): string {
  const { LogicalResourceId, ResourceType, ResourceStatus, ResourceStatusReason } = event;
  const what = isOfStack(event) ? 'stack' : ResourceType;
  return [`${ResourceStatus}`.padEnd(20), what, LogicalResourceId, ResourceStatusReason].filter(Boolean).join('  ');
}

/** What is being worked on, by logical id, in the order in which that began. */
export function underWay(events: readonly StackEvent[]): string[] {
  const latest = new Map<string, string>();
  for (const event of events.filter((each) => !isOfStack(each))) {
    const { LogicalResourceId = '', ResourceStatus = '' } = event;
    latest.delete(LogicalResourceId);
    latest.set(LogicalResourceId, ResourceStatus);
  }
  return [...latest].filter(([, status]) => status.endsWith('_IN_PROGRESS')).map(([id]) => id);
}

/** Why it failed: the failures that are not only the echo of another. */
export function causes(events: readonly StackEvent[]): string[] {
  return events
    .filter((event) => !isOfStack(event) && event.ResourceStatus?.endsWith('_FAILED'))
    .filter(({ ResourceStatusReason = '' }) => !/^Resource (creation|update) cancelled$/.test(ResourceStatusReason))
    .map(({ LogicalResourceId, ResourceStatusReason }) => `${LogicalResourceId}: ${ResourceStatusReason}`);
}
