import type { LambdaActions } from '../parts.ts';

export const concurrency: LambdaActions<
  'PutFunctionConcurrency' | 'GetFunctionConcurrency' | 'DeleteFunctionConcurrency'
> = ({ store }) => ({
  PutFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions }) {
    store.get(FunctionName).reservedConcurrency = ReservedConcurrentExecutions;
    return { ReservedConcurrentExecutions };
  },
  GetFunctionConcurrency({ FunctionName }) {
    const { reservedConcurrency } = store.get(FunctionName);
    return reservedConcurrency === undefined ? {} : { ReservedConcurrentExecutions: reservedConcurrency };
  },
  DeleteFunctionConcurrency({ FunctionName }) {
    store.get(FunctionName).reservedConcurrency = undefined;
    return {};
  },
});
