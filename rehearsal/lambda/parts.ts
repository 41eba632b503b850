/** What the actions work with. */
import type { Action } from '../aws/service.ts';
import type { Security } from '../iam/security.ts';
import type { GetObject } from './function-input.ts';
import type { FunctionLog } from './function-log.ts';
import type { FunctionStore } from './function-store.ts';
import type { Invoker } from './invoker.ts';

export interface LambdaParts {
  readonly store: FunctionStore;
  readonly invoker: Invoker;
  readonly getObject: GetObject;
  readonly security: Security;
  /** Unpacked packages; one directory for each function. */
  readonly codeDirectory: (functionName: string) => string;
  readonly openLog: (functionName: string) => FunctionLog;
}

/** An action, or several that are about the same thing, given what they work with. */
export type LambdaActions<Name extends string> = (parts: LambdaParts) => Readonly<Record<Name, Action>>;
