import { invalid } from '../function-input.ts';
import type { LambdaActions } from '../parts.ts';

/** Kept and shown. No loop is ever stopped here, so a function that needs `Allow` runs without it: see the README. */
export const recursionConfig: LambdaActions<'PutFunctionRecursionConfig' | 'GetFunctionRecursionConfig'> = ({
  store,
}) => ({
  PutFunctionRecursionConfig({ FunctionName, RecursiveLoop }) {
    if (RecursiveLoop !== 'Allow' && RecursiveLoop !== 'Terminate') {
      throw invalid(`RecursiveLoop must be Allow or Terminate, not ${RecursiveLoop}`);
    }
    store.get(FunctionName).recursiveLoop = RecursiveLoop;
    return { RecursiveLoop };
  },
  GetFunctionRecursionConfig({ FunctionName }) {
    return { RecursiveLoop: store.get(FunctionName).recursiveLoop };
  },
});
