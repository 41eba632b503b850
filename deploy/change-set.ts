/** A change set: made, shown, executed or thrown away. */
import {
  type Change,
  type CloudFormationClient,
  CreateChangeSetCommand,
  type CreateChangeSetCommandInput,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  ExecuteChangeSetCommand,
} from '@aws-sdk/client-cloudformation';
import type { Clock } from '../functions/shared/clock.ts';
import { ProxyflipError } from '../functions/shared/errors.ts';

const POLL_MS = 1_000;
/** A template with nested stacks takes CloudFormation half a minute. */
const LIMIT_MS = 300_000;

export interface ChangeSet {
  readonly id: string;
  readonly stackId: string;
  /** Empty: there is nothing to do. */
  readonly changes: readonly Change[];
}

/** @throws ProxyflipError ERR_CHANGE_SET  CloudFormation could not make it; in its words */
export async function createChangeSet(
  cloudFormation: CloudFormationClient,
  clock: Clock,
  input: CreateChangeSetCommandInput,
): Promise<ChangeSet> {
  const { Id: id = '', StackId: stackId = '' } = await cloudFormation.send(new CreateChangeSetCommand(input));
  const until = clock.now() + LIMIT_MS;
  for (;;) {
    const { Status, StatusReason = '', changes } = await describe(cloudFormation, id);
    if (Status === 'CREATE_COMPLETE') return { id, stackId, changes };
    if (Status === 'FAILED') {
      if (saysNothingToDo(StatusReason)) return { id, stackId, changes: [] };
      throw new ProxyflipError('ERR_CHANGE_SET', `CloudFormation could not make the change set: ${StatusReason}`);
    }
    if (clock.now() >= until) {
      throw new ProxyflipError(
        'ERR_CHANGE_SET',
        `the change set ${id} is still in ${Status} after ${LIMIT_MS / 1000} s.`,
      );
    }
    await clock.sleep(POLL_MS);
  }
}

/** There is no code for it; these are the sentences that CloudFormation and the AWS CLI know. */
export const saysNothingToDo = (reason: string): boolean =>
  reason.includes("didn't contain changes") || reason.includes('No updates are to be performed');

async function describe(cloudFormation: CloudFormationClient, id: string) {
  const changes: Change[] = [];
  let nextToken: string | undefined;
  for (;;) {
    const page = await cloudFormation.send(new DescribeChangeSetCommand({ ChangeSetName: id, NextToken: nextToken }));
    changes.push(...(page.Changes ?? []));
    nextToken = page.NextToken;
    if (nextToken === undefined) return { Status: page.Status, StatusReason: page.StatusReason, changes };
  }
}

export async function executeChangeSet(cloudFormation: CloudFormationClient, { id }: ChangeSet): Promise<void> {
  await cloudFormation.send(new ExecuteChangeSetCommand({ ChangeSetName: id }));
}

export async function deleteChangeSet(cloudFormation: CloudFormationClient, { id }: ChangeSet): Promise<void> {
  await cloudFormation.send(new DeleteChangeSetCommand({ ChangeSetName: id }));
}

/** One line for each resource, what is replaced or removed first: `replace  AWS::SSM::Document  SwitchDocument  (Name)`. */
export function describeChanges(changes: readonly Change[]): string[] {
  const rows = changes.flatMap(({ ResourceChange: change }) => {
    if (change === undefined) return [];
    const { ResourceType = '', LogicalResourceId = '', Details = [] } = change;
    const properties = [...new Set(Details.map(({ Target }) => Target?.Name ?? Target?.Attribute ?? ''))].filter(
      Boolean,
    );
    return [{ word: wordFor(change), type: ResourceType, id: LogicalResourceId, properties }];
  });
  const width = (of: (row: (typeof rows)[number]) => string): number =>
    Math.max(0, ...rows.map((row) => of(row).length));
  const [words, types] = [width(({ word }) => word), width(({ type }) => type)];
  return rows
    .sort((a, b) => ORDER.indexOf(a.word) - ORDER.indexOf(b.word))
    .map(({ word, type, id, properties }) => {
      const why = properties.length > 0 ? `  (${properties.join(', ')})` : '';
      return `${word.padEnd(words)}  ${type.padEnd(types)}  ${id}${why}`;
    });
}

const ORDER = ['replace', 'replace?', 'remove', 'change', 'change?', 'add'];

/** With a question mark: known only when what it refers to has been changed. */
function wordFor({ Action, Replacement, Details = [] }: NonNullable<Change['ResourceChange']>): string {
  if (Action === 'Add') return 'add';
  if (Action === 'Remove') return 'remove';
  if (Replacement === 'True') return 'replace';
  if (Replacement === 'Conditional') return 'replace?';
  return Details.length > 0 && Details.every(({ Evaluation }) => Evaluation === 'Dynamic') ? 'change?' : 'change';
}
