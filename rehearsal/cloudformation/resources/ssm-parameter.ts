import type { Json, JsonObject } from '../json.ts';
import { HandlerFailure } from '../resource-operations.ts';
import type { ResourceType } from '../resource-type.ts';
import { defined, text } from './properties.ts';

export const ssmParameter: ResourceType = {
  name: 'AWS::SSM::Parameter',
  properties: ['Name', 'Type', 'Value', 'Description', 'AllowedPattern', 'Tier', 'DataType', 'Policies', 'Tags'],
  required: ['Type', 'Value'],
  replacedBy: ['Name'],
  attributes: ['Type', 'Value'],
  async create(properties, context) {
    const name = text(properties.Name) ?? context.generateName(255);
    await context.call('ssm', 'PutParameter', { Name: name, ...settings(properties), Overwrite: false });
    return { physicalResourceId: name, attributes: attributes(properties) };
  },
  async update({ physicalResourceId }, properties, context) {
    await context.call('ssm', 'PutParameter', { Name: physicalResourceId, ...settings(properties), Overwrite: true });
    return { physicalResourceId, attributes: attributes(properties) };
  },
  async delete({ physicalResourceId }, context) {
    await context.call('ssm', 'DeleteParameter', { Name: physicalResourceId }).catch((error) => {
      if (!(error instanceof HandlerFailure && error.code === 'ParameterNotFound')) throw error;
    });
  },
};

function settings(properties: JsonObject): Record<string, unknown> {
  const names = ['Type', 'Value', 'Description', 'AllowedPattern', 'Tier', 'DataType', 'Policies'];
  return defined(Object.fromEntries(names.map((name) => [name, text(properties[name])])));
}

function attributes({ Type, Value }: JsonObject): Record<string, Json> {
  return { Type: Type ?? null, Value: Value ?? null };
}
