import { HandlerFailure } from '../resource-operations.ts';
import type { ResourceType } from '../resource-type.ts';
import { defined, text } from './properties.ts';

const PROPERTIES = ['FunctionName', 'Action', 'Principal', 'SourceArn', 'SourceAccount'];

export const lambdaPermission: ResourceType = {
  name: 'AWS::Lambda::Permission',
  properties: PROPERTIES,
  required: ['FunctionName', 'Action', 'Principal'],
  replacedBy: PROPERTIES,
  attributes: ['Id'],
  async create(properties, context) {
    const id = context.generateName(100);
    await context.call('lambda', 'AddPermission', {
      StatementId: id,
      ...defined(Object.fromEntries(PROPERTIES.map((name) => [name, text(properties[name])]))),
    });
    return { physicalResourceId: id, attributes: { Id: id } };
  },
  async update(existing) {
    return existing;
  },
  async delete({ physicalResourceId, properties }, context) {
    const input = { FunctionName: text(properties.FunctionName), StatementId: physicalResourceId };
    await context.call('lambda', 'RemovePermission', input).catch((error) => {
      if (!(error instanceof HandlerFailure && error.code === 'ResourceNotFoundException')) throw error;
    });
  },
};
