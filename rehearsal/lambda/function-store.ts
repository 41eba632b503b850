/** The functions that exist, what they are called, and the errors for those that do not. */
import { ServiceError } from '../aws/service.ts';
import { ACCOUNT_ID, REGION } from '../world.ts';
import type { CallKill } from './call-kill.ts';
import type { ExecutionEnvironment } from './execution-environment.ts';
import type { FunctionLog } from './function-log.ts';

export interface FunctionConfiguration {
  readonly FunctionName: string;
  readonly FunctionArn: string;
  readonly Runtime: string;
  readonly Role: string;
  readonly Handler: string;
  readonly Description: string;
  /** Seconds, 1–900. */
  readonly Timeout: number;
  /** MB, 128–10,240. */
  readonly MemorySize: number;
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> };
  readonly Architectures: readonly string[];
  readonly LoggingConfig: { readonly LogFormat: 'Text'; readonly LogGroup: string };
  readonly CodeSize: number;
  readonly CodeSha256: string;
  readonly LastModified: string;
  readonly RevisionId: string;
}

interface EventInvokeConfig {
  /** 0–2. */
  readonly MaximumRetryAttempts?: number;
  /** 60–21,600. */
  readonly MaximumEventAgeInSeconds?: number;
}

export interface LambdaFunction {
  configuration: FunctionConfiguration;
  codeDirectory: string;
  tags: Record<string, string>;
  eventInvokeConfig: EventInvokeConfig | undefined;
  reservedConcurrency: number | undefined;
  recursiveLoop: 'Allow' | 'Terminate';
  /** By statement id. */
  readonly permissions: Map<string, Readonly<Record<string, unknown>>>;
  readonly environments: Set<ExecutionEnvironment>;
  /** For processes that start from now on, first come first served. */
  readonly pendingKills: CallKill[];
  /** Of processes that start from now on: each timer is so many times shorter. 1 = as it is. */
  timersDividedBy: number;
  readonly log: FunctionLog;
}

export function functionArn(name: string): string {
  return `arn:aws:lambda:${REGION}:${ACCOUNT_ID}:function:${name}`;
}

/**
 * @param identifier name, partial ARN (`123456789012:function:name`) or ARN, each with or without a qualifier
 * @throws ServiceError ResourceNotFoundException  a qualifier other than $LATEST: there are no versions and aliases here
 */
export function parseFunctionName(identifier: unknown, qualifier?: string): string {
  const match = /^(?:(?:arn:aws:lambda:[^:]+:)?\d{12}:function:)?([\w-]{1,140})(?::([\w$-]+))?$/.exec(
    String(identifier),
  );
  const name = match?.[1];
  if (name === undefined) {
    throw new ServiceError(
      'ValidationException',
      `1 validation error detected: Value '${identifier}' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern`,
    );
  }
  const asked = qualifier ?? match?.[2] ?? '$LATEST';
  if (asked !== '$LATEST') throw functionNotFound(`${name}:${asked}`);
  return name;
}

export class FunctionStore {
  readonly #functions = new Map<string, LambdaFunction>();

  get(identifier: unknown, qualifier?: string): LambdaFunction {
    const name = parseFunctionName(identifier, qualifier);
    const found = this.#functions.get(name);
    if (found === undefined) throw functionNotFound(name);
    return found;
  }

  find(name: string): LambdaFunction | undefined {
    return this.#functions.get(name);
  }

  add(created: LambdaFunction): void {
    const name = created.configuration.FunctionName;
    if (this.#functions.has(name)) {
      throw new ServiceError('ResourceConflictException', `Function already exist: ${name}`, 409, { Type: 'User' });
    }
    this.#functions.set(name, created);
  }

  has(lambdaFunction: LambdaFunction): boolean {
    return this.#functions.get(lambdaFunction.configuration.FunctionName) === lambdaFunction;
  }

  delete(lambdaFunction: LambdaFunction): void {
    this.#functions.delete(lambdaFunction.configuration.FunctionName);
  }

  all(): LambdaFunction[] {
    return [...this.#functions.values()];
  }
}

function functionNotFound(name: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', `Function not found: ${functionArn(name)}`, 404, {
    Type: 'User',
  });
}
