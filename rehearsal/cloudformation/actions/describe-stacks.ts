import { validationError } from '../errors.ts';
import type { ParameterValues } from '../parameters.ts';
import type { CloudFormationActions } from '../parts.ts';
import type { Stack, StackResource } from '../stack.ts';

export const describeStacks: CloudFormationActions<
  | 'DescribeStacks'
  | 'ListStacks'
  | 'DescribeStackEvents'
  | 'DescribeStackResource'
  | 'DescribeStackResources'
  | 'ListStackResources'
> = ({ store }) => ({
  DescribeStacks({ StackName }) {
    return { Stacks: (StackName === undefined ? store.living() : [store.get(StackName)]).map(describe) };
  },
  ListStacks({ StackStatusFilter = [] }) {
    const stacks = store
      .all()
      .filter(({ status }) => StackStatusFilter.length === 0 || StackStatusFilter.includes(status));
    return {
      StackSummaries: stacks.map((stack) => ({
        StackId: stack.id,
        StackName: stack.name,
        CreationTime: stack.createdAt,
        StackStatus: stack.status,
        ...(stack.reason !== undefined && { StackStatusReason: stack.reason }),
        ...(stack.deletedAt !== undefined && { DeletionTime: stack.deletedAt }),
      })),
    };
  },
  /** Newest first, and all on one page. */
  DescribeStackEvents({ StackName }) {
    return { StackEvents: store.get(StackName).events.toReversed() };
  },
  DescribeStackResource({ StackName, LogicalResourceId }) {
    const stack = store.get(StackName);
    const resource = stack.resources.get(LogicalResourceId);
    if (resource === undefined) throw resourceNotFound(stack, LogicalResourceId);
    return {
      StackResourceDetail: {
        ...identity(stack),
        ...describeResource(resource),
        LastUpdatedTimestamp: resource.updatedAt,
        Metadata: JSON.stringify(stack.prepared?.resources.get(resource.logicalId)?.metadata ?? {}),
      },
    };
  },
  DescribeStackResources({ StackName, LogicalResourceId, PhysicalResourceId }) {
    const stack: Stack =
      StackName !== undefined
        ? store.get(StackName)
        : (store
            .living()
            .find(({ resources }) =>
              [...resources.values()].some(({ physicalId }) => physicalId === PhysicalResourceId),
            ) ?? notManaged(PhysicalResourceId));
    const resources = [...stack.resources.values()].filter(
      ({ logicalId }) => LogicalResourceId === undefined || logicalId === LogicalResourceId,
    );
    if (LogicalResourceId !== undefined && resources.length === 0) throw resourceNotFound(stack, LogicalResourceId);
    return {
      StackResources: resources.map((resource) => ({
        ...identity(stack),
        ...describeResource(resource),
        Timestamp: resource.updatedAt,
      })),
    };
  },
  ListStackResources({ StackName }) {
    return {
      StackResourceSummaries: [...store.get(StackName).resources.values()].map((resource) => ({
        ...describeResource(resource),
        LastUpdatedTimestamp: resource.updatedAt,
      })),
    };
  },
});

function describe(stack: Stack): Record<string, unknown> {
  const { settings, prepared } = stack;
  return {
    StackId: stack.id,
    StackName: stack.name,
    ...(prepared?.template.description !== undefined && { Description: prepared.template.description }),
    CreationTime: stack.createdAt,
    ...(stack.updatedAt !== undefined && { LastUpdatedTime: stack.updatedAt }),
    ...(stack.deletedAt !== undefined && { DeletionTime: stack.deletedAt }),
    StackStatus: stack.status,
    ...(stack.reason !== undefined && { StackStatusReason: stack.reason }),
    Parameters: describeParameters(prepared?.parameters ?? new Map()),
    Outputs: stack.outputs,
    Capabilities: settings.capabilities,
    Tags: Object.entries(settings.tags).map(([Key, Value]) => ({ Key, Value })),
    DisableRollback: settings.onFailure === 'DO_NOTHING',
    EnableTerminationProtection: stack.terminationProtection,
    NotificationARNs: [],
    RollbackConfiguration: {},
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
  };
}

/** A parameter with NoEcho is never shown. */
export function describeParameters(parameters: ParameterValues): Record<string, unknown>[] {
  return [...parameters].map(([ParameterKey, { text, isSecret, resolvedText }]) => ({
    ParameterKey,
    ParameterValue: isSecret ? '****' : text,
    ...(resolvedText !== undefined && { ResolvedValue: resolvedText }),
  }));
}

function identity({ id, name }: Stack): Record<string, unknown> {
  return { StackId: id, StackName: name };
}

function describeResource({ logicalId, physicalId, type, status, reason }: StackResource): Record<string, unknown> {
  return {
    LogicalResourceId: logicalId,
    ...(physicalId !== undefined && { PhysicalResourceId: physicalId }),
    ResourceType: type,
    ResourceStatus: status,
    ...(reason !== undefined && { ResourceStatusReason: reason }),
    DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' },
  };
}

function resourceNotFound(stack: Stack, id: string): Error {
  return validationError(`Resource ${id} does not exist for stack ${stack.name}`);
}

function notManaged(physicalId: string): never {
  throw validationError(`Stack for ${physicalId} does not exist`);
}
