/**
 * What the instances answered to one command, joined with the instances that ought to have answered.
 *
 * The command's own status is no evidence: with no target it ends in `Success` (StatusDetails `NoInstancesInTag`), and undeliverable
 * invocations do not spoil it. Right after SendCommand the list is empty, and it fills late: an empty list is not "no target".
 */
import { type CommandInvocation, ListCommandInvocationsCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { Clock } from './clock.ts';
import type { ReceiverMode } from './switch-state.ts';

export interface Invocation {
  readonly instanceId: string;
  /** As `CommandInvocationStatus` has it. */
  readonly status: string;
  readonly statusDetails: string;
  /** At most 2,500 characters: what ListCommandInvocations gives. */
  readonly output: string;
}

const RUNNING = new Set(['Pending', 'InProgress', 'Delayed', 'Cancelling']);
const POLL_MS = 2_000;

/**
 * @param commandId    empty = none was sent, and nobody answers
 * @param instanceIds  those that ought to have answered
 * @param waitMs       how long to wait for those that have not ended, or are not listed yet
 * @returns            by instance id; one that is not there at the end was not asked, or the list is later than `waitMs`
 */
export async function awaitInvocations(
  ssm: SSMClient,
  clock: Clock,
  commandId: string,
  instanceIds: readonly string[],
  waitMs: number,
): Promise<Map<string, Invocation>> {
  // Systems Manager takes ids of 36 characters, and refuses others.
  if (commandId === '') return new Map();
  const until = clock.now() + waitMs;
  for (;;) {
    const found = await listInvocations(ssm, commandId);
    const open = instanceIds.some((id) => RUNNING.has(found.get(id)?.status ?? 'Pending'));
    if (!open || clock.now() >= until) return found;
    await clock.sleep(POLL_MS);
  }
}

async function listInvocations(ssm: SSMClient, commandId: string): Promise<Map<string, Invocation>> {
  const found = new Map<string, Invocation>();
  let nextToken: string | undefined;
  do {
    const page = await ssm.send(
      new ListCommandInvocationsCommand({
        CommandId: commandId,
        Details: true,
        MaxResults: 50,
        NextToken: nextToken,
      }),
    );
    for (const each of (page.CommandInvocations ?? []).map(describeInvocation)) found.set(each.instanceId, each);
    nextToken = page.NextToken === '' ? undefined : page.NextToken;
  } while (nextToken !== undefined);
  return found;
}

function describeInvocation(invocation: CommandInvocation): Invocation {
  return {
    instanceId: invocation.InstanceId ?? '',
    status: invocation.Status ?? 'Pending',
    statusDetails: invocation.StatusDetails ?? '',
    output:
      (invocation.CommandPlugins ?? []).map((plugin) => plugin.Output ?? '').find((output) => output !== '') ?? '',
  };
}

/** The agent puts standard error behind this line. */
const ERROR_MARK = /^-{5,}ERROR-{5,}$/m;

function streamsOf({ output }: Invocation): { readonly stdout: string; readonly stderr: string } {
  const [stdout = '', stderr = ''] = output.split(ERROR_MARK).map((stream) => stream.trimEnd());
  return { stdout, stderr };
}

/** The last line of standard output, if it is a JSON object. */
export function answerOf(invocation: Invocation): Readonly<Record<string, unknown>> | undefined {
  const { stdout } = streamsOf(invocation);
  const last = stdout.slice(stdout.lastIndexOf('\n') + 1);
  if (!last.startsWith('{')) return undefined;
  try {
    return JSON.parse(last) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Standard output before that line. */
export function wordsOf(invocation: Invocation): string {
  return streamsOf(invocation).stdout.split('\n').slice(0, -1).join('\n');
}

/** Standard error if there is any, else the end of standard output: what says why. At most `limit` characters. */
export function complaintOf(invocation: Invocation, limit = 400): string {
  const { stdout, stderr } = streamsOf(invocation);
  const text = (stderr || stdout).trim();
  return text.length > limit ? `… ${text.slice(-limit)}` : text;
}

export interface Unconfirmed {
  readonly instanceId: string;
  readonly why: string;
}

/** The registered instances that did not end in this mode, each with the reason; none = all are there. */
export function unconfirmed(
  instanceIds: readonly string[],
  invocations: ReadonlyMap<string, Invocation>,
  mode: ReceiverMode,
): { readonly notAsked: readonly string[]; readonly failed: readonly Unconfirmed[] } {
  const notAsked: string[] = [];
  const failed: Unconfirmed[] = [];
  for (const instanceId of instanceIds) {
    const invocation = invocations.get(instanceId);
    if (invocation === undefined) {
      notAsked.push(instanceId);
    } else if (invocation.status !== 'Success') {
      const details = invocation.statusDetails === '' ? invocation.status : invocation.statusDetails;
      failed.push({ instanceId, why: `${details}: ${complaintOf(invocation)}` });
    } else {
      const answered = answerOf(invocation)?.mode;
      if (answered !== mode)
        failed.push({ instanceId, why: `answered mode ${JSON.stringify(answered)}: ${complaintOf(invocation)}` });
    }
  }
  return { notAsked, failed };
}
