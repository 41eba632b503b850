/** The calls that the product makes, as a run shows them: nobody keeps a list by hand. Pure. */

export type Direction = 'enable' | 'disable';

/** One call of one step. Its place in the step is what tells it from the others: an SDK's repetitions of it are the same call. */
export interface RecordedCall {
  readonly direction: Direction;
  /**
   * Of the runbook, or the request that the custom resource works on. Of a loop's step only the first round counts: the later ones make
   * the same calls again.
   */
  readonly step: string;
  readonly by: 'Automation' | 'function' | 'custom resource';
  /** `ssm:PutParameter` */
  readonly operation: string;
  /** 1 = the first of this operation in the step. */
  readonly nth: number;
}

export const keyOf = ({ direction, step, by, operation, nth }: RecordedCall): string =>
  [direction, step, by, operation, nth].join(' ');

/** `SetPolicies ssm:PutParameter 2`, and who makes it where that is not the function. */
export function describeCall({ step, by, operation, nth }: RecordedCall): string {
  return `${step} ${operation}${nth === 1 ? '' : ` ${nth}`}${by === 'Automation' ? ' (Automation)' : ''}`;
}

/**
 * Those that every run made, in the order of the first: what only some made is a look more while something was not ready yet.
 *
 * @throws RangeError  there is none: whatever recorded them was deaf
 */
export function callsOfEvery([first = [], ...others]: readonly (readonly RecordedCall[])[]): RecordedCall[] {
  const known = others.map((calls) => new Set(calls.map(keyOf)));
  const common = first.filter((call) => known.every((keys) => keys.has(keyOf(call))));
  if (common.length === 0) throw new RangeError('no call was recorded');
  return common;
}

/** The service has done something then, which is not undone by an error. */
export const isWrite = ({ operation }: RecordedCall): boolean => !/:(Describe|Get|List)/.test(operation);
