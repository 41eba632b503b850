import type { LambdaActions } from '../parts.ts';

/** Invocations that run go on to their end. */
export const deleteFunction: LambdaActions<'DeleteFunction'> = ({ store, invoker }) => ({
  async DeleteFunction({ FunctionName, Qualifier }) {
    const found = store.get(FunctionName, Qualifier);
    store.delete(found);
    await invoker.retire(found);
    return {};
  },
});
