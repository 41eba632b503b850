import type { JsonObject } from '../json.ts';
import { HandlerFailure } from '../resource-operations.ts';
import type { ResourceContext, ResourceType } from '../resource-type.ts';
import { defined, number, object, text } from './properties.ts';

export const lambdaEventInvokeConfig: ResourceType = {
  name: 'AWS::Lambda::EventInvokeConfig',
  properties: ['FunctionName', 'Qualifier', 'MaximumRetryAttempts', 'MaximumEventAgeInSeconds', 'DestinationConfig'],
  required: ['FunctionName', 'Qualifier'],
  replacedBy: ['FunctionName', 'Qualifier'],
  attributes: [],
  async create(properties, context) {
    await put(properties, context);
    return { physicalResourceId: `${properties.FunctionName}|${properties.Qualifier}`, attributes: {} };
  },
  async update(existing, properties, context) {
    await put(properties, context);
    return existing;
  },
  async delete({ properties }, context) {
    await context.call('lambda', 'DeleteFunctionEventInvokeConfig', target(properties)).catch((error) => {
      if (!(error instanceof HandlerFailure && error.code === 'ResourceNotFoundException')) throw error;
    });
  },
};

function target({ FunctionName, Qualifier }: JsonObject): Record<string, unknown> {
  return { FunctionName: text(FunctionName), Qualifier: text(Qualifier) };
}

async function put(properties: JsonObject, context: ResourceContext): Promise<void> {
  await context.call('lambda', 'PutFunctionEventInvokeConfig', {
    ...target(properties),
    ...defined({
      MaximumRetryAttempts: number(properties.MaximumRetryAttempts),
      MaximumEventAgeInSeconds: number(properties.MaximumEventAgeInSeconds),
      DestinationConfig: object(properties.DestinationConfig),
    }),
  });
}
