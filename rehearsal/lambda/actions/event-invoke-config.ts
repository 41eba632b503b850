import { ServiceError } from '../../aws/service.ts';
import { invalid } from '../function-input.ts';
import type { LambdaFunction } from '../function-store.ts';
import type { LambdaActions } from '../parts.ts';

export const eventInvokeConfig: LambdaActions<
  'PutFunctionEventInvokeConfig' | 'GetFunctionEventInvokeConfig' | 'DeleteFunctionEventInvokeConfig'
> = ({ store }) => ({
  PutFunctionEventInvokeConfig(input) {
    const found = store.get(input.FunctionName, input.Qualifier);
    const { OnSuccess, OnFailure } = input.DestinationConfig ?? {};
    if (OnSuccess?.Destination || OnFailure?.Destination) {
      throw invalid('DestinationConfig is not supported by the rehearsal');
    }
    requireRange('MaximumRetryAttempts', input.MaximumRetryAttempts, 0, 2);
    requireRange('MaximumEventAgeInSeconds', input.MaximumEventAgeInSeconds, 60, 21_600);
    found.eventInvokeConfig = {
      ...(input.MaximumRetryAttempts !== undefined && { MaximumRetryAttempts: input.MaximumRetryAttempts }),
      ...(input.MaximumEventAgeInSeconds !== undefined && { MaximumEventAgeInSeconds: input.MaximumEventAgeInSeconds }),
    };
    return describe(found);
  },
  GetFunctionEventInvokeConfig({ FunctionName, Qualifier }) {
    return describe(store.get(FunctionName, Qualifier));
  },
  DeleteFunctionEventInvokeConfig({ FunctionName, Qualifier }) {
    const found = store.get(FunctionName, Qualifier);
    describe(found);
    found.eventInvokeConfig = undefined;
    return {};
  },
});

function requireRange(name: string, value: unknown, minimum: number, maximum: number): void {
  if (value === undefined || (Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum)) return;
  throw invalid(`${name} must be between ${minimum} and ${maximum}, not ${value}`);
}

function describe({ configuration, eventInvokeConfig: config }: LambdaFunction): Record<string, unknown> {
  if (config === undefined) {
    throw new ServiceError(
      'ResourceNotFoundException',
      `The function ${configuration.FunctionArn}:$LATEST doesn't have an EventInvokeConfig`,
      404,
      { Type: 'User' },
    );
  }
  return { ...config, FunctionArn: `${configuration.FunctionArn}:$LATEST`, LastModified: new Date() };
}
