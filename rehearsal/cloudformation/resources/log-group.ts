import { ACCOUNT_ID, REGION } from '../../world.ts';
import type { JsonObject } from '../json.ts';
import type { ResourceContext, ResourceType } from '../resource-type.ts';
import { unlessGone } from './gone.ts';
import { number, tagMap, text } from './properties.ts';

export const logGroup: ResourceType = {
  name: 'AWS::Logs::LogGroup',
  properties: ['LogGroupName', 'RetentionInDays', 'Tags'],
  required: [],
  replacedBy: ['LogGroupName'],
  attributes: ['Arn'],
  async create(properties, context) {
    const name = text(properties.LogGroupName) ?? context.generateName(512);
    await context.call('logs', 'CreateLogGroup', { logGroupName: name, tags: tagMap(properties.Tags, context.tags) });
    await setRetention(name, properties, context);
    return {
      physicalResourceId: name,
      attributes: { Arn: `arn:aws:logs:${REGION}:${ACCOUNT_ID}:log-group:${name}:*` },
    };
  },
  async update(existing, properties, context) {
    await setRetention(existing.physicalResourceId, properties, context);
    return existing;
  },
  async delete({ physicalResourceId }, context) {
    await context
      .call('logs', 'DeleteLogGroup', { logGroupName: physicalResourceId })
      .catch(unlessGone('ResourceNotFoundException'));
  },
};

async function setRetention(logGroupName: string, properties: JsonObject, context: ResourceContext): Promise<void> {
  const retentionInDays = number(properties.RetentionInDays);
  if (retentionInDays === undefined) await context.call('logs', 'DeleteRetentionPolicy', { logGroupName });
  else await context.call('logs', 'PutRetentionPolicy', { logGroupName, retentionInDays });
}
