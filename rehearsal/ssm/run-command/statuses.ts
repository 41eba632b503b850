/**
 * How a command's status follows from its invocations. Pure.
 *
 * Source: Systems Manager user guide, "Understanding command statuses", and the API's `Command.StatusDetails`. They differ
 * in details; where they do, the one that hides more is taken, as a caller must be able to bear it.
 */
export type InvocationDetails =
  | 'Pending'
  | 'InProgress'
  | 'Success'
  | 'Failed'
  | 'ExecutionTimedOut'
  | 'DeliveryTimedOut'
  | 'Undeliverable'
  | 'Terminated'
  | 'Cancelling'
  | 'Cancelled';

export type CommandStatus = 'Pending' | 'InProgress' | 'Success' | 'Cancelled' | 'Failed' | 'TimedOut' | 'Cancelling';

const STATUS: Readonly<Record<InvocationDetails, CommandStatus>> = {
  Pending: 'Pending',
  InProgress: 'InProgress',
  Success: 'Success',
  Failed: 'Failed',
  ExecutionTimedOut: 'TimedOut',
  DeliveryTimedOut: 'TimedOut',
  Undeliverable: 'Failed',
  Terminated: 'Failed',
  Cancelling: 'Cancelling',
  Cancelled: 'Cancelled',
};

export const invocationStatus = (details: InvocationDetails): CommandStatus => STATUS[details];

export const isTerminal = (details: InvocationDetails): boolean =>
  details !== 'Pending' && details !== 'InProgress' && details !== 'Cancelling';

/** "Failed" and "Execution Timed Out" count against MaxErrors; "Delivery Timed Out" and "Undeliverable" do not. */
export const isError = (details: InvocationDetails): boolean => details === 'Failed' || details === 'ExecutionTimedOut';

/** A number, or a percentage of the targets. A percentage of MaxConcurrency is at least one. */
export function limit(value: string, targets: number): number {
  return value.endsWith('%') ? Math.floor((Number(value.slice(0, -1)) * targets) / 100) : Number(value);
}

/**
 * The final status of a command, all of whose invocations have ended.
 *
 * - no targets at all: Success, NoInstancesInTag (seen live by others; nothing documents it)
 * - "The value of MaxErrors or more command invocations shows a status of Failed"
 * - Undeliverable ones "don't contribute to whether the parent command status is Success or Incomplete"; only where there
 *   are no others the command is Failed
 */
export function commandStatus(
  invocations: readonly InvocationDetails[],
  maxErrors: number,
  isCancelled: boolean,
): { readonly status: CommandStatus; readonly details: string } {
  if (isCancelled) return { status: 'Cancelled', details: 'Cancelled' };
  if (invocations.length === 0) return { status: 'Success', details: 'NoInstancesInTag' };
  const count = (...kinds: InvocationDetails[]) => invocations.filter((each) => kinds.includes(each)).length;
  const enough = Math.max(1, maxErrors);
  if (count('Failed', 'ExecutionTimedOut') >= enough)
    return count('Failed') > 0
      ? { status: 'Failed', details: 'Failed' }
      : { status: 'TimedOut', details: 'ExecutionTimedOut' };
  if (count('DeliveryTimedOut') >= enough) return { status: 'TimedOut', details: 'DeliveryTimedOut' };
  const delivered = invocations.length - count('Undeliverable');
  if (delivered === 0) return { status: 'Failed', details: 'Failed' };
  if (count('Success') === delivered) return { status: 'Success', details: 'Success' };
  return { status: 'Failed', details: 'Incomplete' };
}
