import { ResourceFailure } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { HandlerFailure } from '../resource-operations.ts';
import type { Existing, Made, ResourceContext, ResourceType } from '../resource-type.ts';
import { requireUpdatable } from './made-by-api.ts';
import { object, tagMap, text } from './properties.ts';

/** @returns the stack's status when nothing is under way in it */
export type Settled = (stackId: string) => Promise<string>;

/**
 * A nested stack: a stack of its own, made, updated and deleted with its parent, whose outputs are its attributes.
 *
 * Source: CloudFormation user guide, "Embed stacks within other stacks using nested stacks".
 */
export function cloudFormationStack(settled: Settled): ResourceType {
  return {
    name: 'AWS::CloudFormation::Stack',
    properties: ['TemplateURL', 'Parameters', 'Tags', 'TimeoutInMinutes'],
    required: ['TemplateURL'],
    replacedBy: [],
    attributes: undefined,

    async create(properties, context) {
      const { StackId } = (await context.call('cloudformation', 'CreateStack', {
        StackName: context.generateName(128),
        ...request(properties, context),
        // Taken back with the parent, by the parent.
        DisableRollback: true,
      })) as { StackId: string };
      context.initiated(StackId);
      const status = await settledOrCancelled(StackId, context, settled);
      if (status !== 'CREATE_COMPLETE') throw await failure(StackId, 'created', context);
      return describe(StackId, context);
    },

    async update(existing, properties, context) {
      requireUpdatable(existing, properties, ['TemplateURL', 'Parameters', 'Tags']);
      const { physicalResourceId: stackId } = existing;
      try {
        await context.call('cloudformation', 'UpdateStack', { StackName: stackId, ...request(properties, context) });
      } catch (error) {
        if (error instanceof HandlerFailure && error.message.includes('No updates are to be performed'))
          return existing;
        throw error;
      }
      if ((await settled(stackId)) !== 'UPDATE_COMPLETE') throw await failure(stackId, 'updated', context);
      return describe(stackId, context);
    },

    async delete({ physicalResourceId: stackId }: Existing, context) {
      await context.call('cloudformation', 'DeleteStack', { StackName: stackId });
      if ((await settled(stackId)) !== 'DELETE_COMPLETE') throw await failure(stackId, 'deleted', context);
    },
  };
}

function request(properties: JsonObject, context: ResourceContext): Record<string, unknown> {
  return {
    TemplateURL: text(properties.TemplateURL),
    Parameters: Object.entries(object(properties.Parameters) ?? {}).map(([ParameterKey, value]) => ({
      ParameterKey,
      ParameterValue: Array.isArray(value) ? value.join(',') : text(value),
    })),
    Capabilities: [...context.capabilities],
    Tags: Object.entries(tagMap(properties.Tags, context.tags)).map(([Key, Value]) => ({ Key, Value })),
  };
}

/** @throws ResourceFailure  with the stack's id, so that the parent deletes what was begun */
async function settledOrCancelled(stackId: string, { signal }: ResourceContext, settled: Settled): Promise<string> {
  const cancelled = new Promise<never>((_, reject) => {
    const cancel = (): void => reject(new ResourceFailure('Resource creation cancelled', stackId));
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
  cancelled.catch(() => {});
  return Promise.race([settled(stackId), cancelled]);
}

interface Described {
  readonly StackStatus: string;
  readonly StackStatusReason?: string;
  readonly Outputs?: readonly { readonly OutputKey: string; readonly OutputValue: string }[];
}

async function read(stackId: string, context: ResourceContext): Promise<Described> {
  const { Stacks } = (await context.call('cloudformation', 'DescribeStacks', { StackName: stackId })) as {
    Stacks: [Described];
  };
  return Stacks[0];
}

async function describe(stackId: string, context: ResourceContext): Promise<Made> {
  const { Outputs = [] } = await read(stackId, context);
  return {
    physicalResourceId: stackId,
    attributes: Object.fromEntries(Outputs.map(({ OutputKey, OutputValue }) => [`Outputs.${OutputKey}`, OutputValue])),
  };
}

async function failure(stackId: string, what: string, context: ResourceContext): Promise<ResourceFailure> {
  const { StackStatus, StackStatusReason = '' } = await read(stackId, context);
  return new ResourceFailure(
    what === 'updated'
      ? `Embedded stack ${stackId} was not successfully updated. Currently in ${StackStatus} with reason: ${StackStatusReason}`
      : `Embedded stack ${stackId} was not successfully ${what}: ${StackStatusReason}`,
    stackId,
  );
}
