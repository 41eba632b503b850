import type { LambdaFunction } from '../function-store.ts';
import type { LambdaActions } from '../parts.ts';

export function describeFunction({ configuration }: LambdaFunction): Record<string, unknown> {
  return {
    ...configuration,
    Version: '$LATEST',
    PackageType: 'Zip',
    TracingConfig: { Mode: 'PassThrough' },
    EphemeralStorage: { Size: 512 },
    State: 'Active',
    LastUpdateStatus: 'Successful',
  };
}

export const getFunction: LambdaActions<'GetFunction' | 'GetFunctionConfiguration' | 'ListFunctions'> = ({
  store,
}) => ({
  GetFunction({ FunctionName, Qualifier }) {
    const found = store.get(FunctionName, Qualifier);
    return {
      Configuration: describeFunction(found),
      Code: { RepositoryType: 'S3', Location: `file://${found.codeDirectory}` },
      ...(Object.keys(found.tags).length > 0 && { Tags: found.tags }),
      ...(found.reservedConcurrency !== undefined && {
        Concurrency: { ReservedConcurrentExecutions: found.reservedConcurrency },
      }),
    };
  },
  GetFunctionConfiguration({ FunctionName, Qualifier }) {
    return describeFunction(store.get(FunctionName, Qualifier));
  },
  ListFunctions() {
    return { Functions: store.all().map(describeFunction) };
  },
});
