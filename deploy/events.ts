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

/** CloudFormation tells of each resource a second time, once the service has taken the request; of a person's view that is an echo. */
export const isNews = ({ ResourceStatusReason }: StackEvent): boolean =>
  ResourceStatusReason !== 'Resource creation Initiated';

export function describeEvent({
  LogicalResourceId,
  ResourceType,
  ResourceStatus,
  ResourceStatusReason,
}: StackEvent): string {
  const what = ResourceType === 'AWS::CloudFormation::Stack' ? 'stack' : ResourceType;
  return [`${ResourceStatus}`.padEnd(20), what, LogicalResourceId, ResourceStatusReason].filter(Boolean).join('  ');
}

/** What is being worked on, by logical id, in the order in which that began. */
export function underWay(events: readonly StackEvent[]): string[] {
  const latest = new Map<string, string>();
  for (const { LogicalResourceId = '', ResourceType, ResourceStatus = '' } of events) {
    if (ResourceType === 'AWS::CloudFormation::Stack') continue;
    latest.delete(LogicalResourceId);
    latest.set(LogicalResourceId, ResourceStatus);
  }
  return [...latest].filter(([, status]) => status.endsWith('_IN_PROGRESS')).map(([id]) => id);
}

/** Why it failed: the failures that are not only the echo of another. */
export function causes(events: readonly StackEvent[]): string[] {
  return events
    .filter(
      ({ ResourceType, ResourceStatus = '', ResourceStatusReason = '' }) =>
        ResourceType !== 'AWS::CloudFormation::Stack' &&
        ResourceStatus.endsWith('_FAILED') &&
        !/^Resource (creation|update) cancelled$/.test(ResourceStatusReason),
    )
    .map(({ LogicalResourceId, ResourceStatusReason }) => `${LogicalResourceId}: ${ResourceStatusReason}`);
}
