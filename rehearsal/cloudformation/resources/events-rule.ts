import type { Json, JsonObject } from '../json.ts';
import { HandlerFailure } from '../resource-operations.ts';
import type { Made, ResourceContext, ResourceType } from '../resource-type.ts';
import { unlessGone } from './gone.ts';
import { defined, number, object, text } from './properties.ts';
import { taken } from './taken.ts';

const TYPE = 'AWS::Events::Rule';

export const eventsRule: ResourceType = {
  name: TYPE,
  properties: ['Name', 'Description', 'ScheduleExpression', 'EventPattern', 'State', 'Targets', 'EventBusName', 'Tags'],
  required: [],
  replacedBy: ['Name', 'EventBusName'],
  attributes: ['Arn'],

  async create(properties, context) {
    const name = text(properties.Name) ?? context.generateName(64);
    const isThere = await context.call('events', 'DescribeRule', { Name: name }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof HandlerFailure && error.code === 'ResourceNotFoundException') return false;
        throw error;
      },
    );
    if (isThere) throw taken(TYPE, name);
    return put(name, properties, context);
  },

  async update(existing, properties, context) {
    const kept = targets(properties).map(({ Id }) => Id);
    const Ids = targets(existing.properties).flatMap(({ Id = '' }) => (kept.includes(Id) ? [] : [Id]));
    const made = await put(existing.physicalResourceId, properties, context);
    if (Ids.length > 0) await context.call('events', 'RemoveTargets', { Rule: existing.physicalResourceId, Ids });
    return made;
  },

  async delete({ physicalResourceId, properties }, context) {
    const Ids = targets(properties).map(({ Id = '' }) => Id);
    if (Ids.length > 0) {
      await context
        .call('events', 'RemoveTargets', { Rule: physicalResourceId, Ids })
        .catch(unlessGone('ResourceNotFoundException'));
    }
    await context.call('events', 'DeleteRule', { Name: physicalResourceId });
  },
};

async function put(name: string, properties: JsonObject, context: ResourceContext): Promise<Made> {
  const { RuleArn } = (await context.call('events', 'PutRule', {
    Name: name,
    ...defined({
      Description: text(properties.Description),
      ScheduleExpression: text(properties.ScheduleExpression),
      State: text(properties.State),
      EventPattern: properties.EventPattern && JSON.stringify(properties.EventPattern),
      EventBusName: text(properties.EventBusName),
    }),
  })) as { RuleArn: string };
  const Targets = targets(properties);
  if (Targets.length > 0) await context.call('events', 'PutTargets', { Rule: name, Targets });
  return { physicalResourceId: name, attributes: { Arn: RuleArn } };
}

function targets({ Targets = [] }: JsonObject): ({ readonly Id?: string } & Record<string, unknown>)[] {
  return (Array.isArray(Targets) ? Targets : [Targets]).map((each: Json) => {
    const { Id, RetryPolicy, ...target } = object(each) ?? {};
    const policy = object(RetryPolicy);
    return {
      ...target,
      Id: text(Id) ?? '',
      ...(policy && {
        RetryPolicy: Object.fromEntries(Object.entries(policy).map(([key, value]) => [key, number(value)])),
      }),
    };
  });
}
