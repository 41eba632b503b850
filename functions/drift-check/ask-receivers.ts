/** Ask many instances at once, by the read-only Command document, 50 a command. */
import {
  DescribeInstanceInformationCommand,
  type InstanceInformation,
  SendCommandCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import type { Clock } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import { answerOf, awaitInvocations, complaintOf, type Invocation } from '../shared/invocations.ts';
import { groupsOf } from './account.ts';
import { parseReceiver, type Receiver } from './receiver.ts';
import type { Unreachable } from './situation.ts';

/** "The maximum number of instance IDs that you can specify" (API reference, SendCommand). */
const PER_COMMAND = 50;
/** The agent takes a command up within a second or two; one that has not by then is not there. Unit: seconds, 30 at least. */
const DELIVERY_SECONDS = 30;
const FIRST_LOOK_MS = 3_000;
/** For delivery and the document's own 60 s. */
const ANSWER_MS = 100_000;

export interface Question {
  readonly ssm: SSMClient;
  readonly clock: Clock;
  readonly documentName: string;
  /** Unix time in seconds: from where the receivers read their logs. */
  readonly since: number;
}

/** By instance id: every one that was asked for. */
export async function askReceivers(
  question: Question,
  instanceIds: readonly string[],
): Promise<Map<string, Receiver | Unreachable>> {
  const { ssm } = question;
  const managed = new Map(
    (await Promise.all(groupsOf(PER_COMMAND, instanceIds).map((group) => describeInstances(ssm, group))))
      .flat()
      .map((each) => [each.InstanceId ?? '', each.PingStatus ?? 'unknown']),
  );
  const online = instanceIds.filter((id) => managed.get(id) === 'Online');
  const answers = await Promise.all(groupsOf(PER_COMMAND, online).map((group) => sendTo(question, group)));
  const others = instanceIds
    .filter((id) => managed.get(id) !== 'Online')
    .map((id) => [id, { unreachable: describePing(managed.get(id)) }] as const);
  return new Map<string, Receiver | Unreachable>([...answers.flat(), ...others]);
}

const describePing = (ping: string | undefined): string =>
  ping === undefined ? 'Systems Manager does not know the instance' : `its Systems Manager agent is ${ping}`;

async function sendTo(
  { ssm, clock, documentName, since }: Question,
  instanceIds: readonly string[],
): Promise<(readonly [string, Receiver | Unreachable])[]> {
  try {
    const { Command } = await ssm.send(
      new SendCommandCommand({
        DocumentName: documentName,
        InstanceIds: [...instanceIds],
        Parameters: { Since: [String(since)] },
        TimeoutSeconds: DELIVERY_SECONDS,
        MaxConcurrency: '100%',
        MaxErrors: '100%',
        Comment: 'proxyflip drift check',
      }),
    );
    // Asked sooner, none has ended, and the list may still be empty.
    await clock.sleep(FIRST_LOOK_MS);
    const invocations = await awaitInvocations(ssm, clock, Command?.CommandId ?? '', instanceIds, ANSWER_MS);
    return instanceIds.map((id) => [id, describeAnswer(invocations.get(id))] as const);
  } catch (error) {
    // One that was terminated since it was described spoils the whole command: said of all, and asked again by the next check.
    if (error instanceof Error && error.name === 'InvalidInstanceId') {
      return instanceIds.map((id) => [id, { unreachable: `the command was refused: ${messageOf(error)}` }] as const);
    }
    throw error;
  }
}

function describeAnswer(invocation: Invocation | undefined): Receiver | Unreachable {
  if (invocation === undefined) return { unreachable: 'Systems Manager has no answer of it' };
  const answer = answerOf(invocation);
  const receiver = parseReceiver(answer);
  if (receiver !== undefined) return receiver;
  const why = complaintOf(invocation, 200);
  return { unreachable: `${invocation.statusDetails || invocation.status}${why === '' ? '' : `: ${why}`}` };
}

async function describeInstances(ssm: SSMClient, instanceIds: readonly string[]): Promise<InstanceInformation[]> {
  const found: InstanceInformation[] = [];
  let nextToken: string | undefined;
  do {
    const page = await ssm.send(
      new DescribeInstanceInformationCommand({
        Filters: [{ Key: 'InstanceIds', Values: [...instanceIds] }],
        MaxResults: 50,
        NextToken: nextToken,
      }),
    );
    found.push(...(page.InstanceInformationList ?? []));
    nextToken = page.NextToken === '' ? undefined : page.NextToken;
  } while (nextToken !== undefined);
  return found;
}
