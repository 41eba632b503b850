import type { ListCommandInvocationsRequest, ListCommandInvocationsResult } from '@aws-sdk/client-ssm';
import { validationError } from '../errors.ts';
import { page } from '../paging.ts';
import type { SsmContext } from './context.ts';
import { matchesCommand } from './list-commands.ts';

/** By the API's model a command's id has this length, and no other is looked for. */
const ID_LENGTH = 36;

/** A command that was just sent, and one that does not exist, have the same answer: an empty list. */
export const listCommandInvocations =
  ({ runCommand }: SsmContext) =>
  (input: ListCommandInvocationsRequest): ListCommandInvocationsResult => {
    if (input.CommandId !== undefined && input.CommandId.length !== ID_LENGTH)
      throw validationError(`Value '${input.CommandId}' at 'commandId' must have a length of ${ID_LENGTH}.`);
    const matching = runCommand.commands
      .filter((command) => input.CommandId === undefined || command.id === input.CommandId)
      .flatMap((command) => runCommand.visibleInvocations(command).map((invocation) => ({ command, invocation })))
      .filter(
        ({ command, invocation }) =>
          (input.InstanceId === undefined || invocation.instance.instanceId === input.InstanceId) &&
          (input.Filters ?? []).every(({ key = '', value = '' }) =>
            key === 'Status'
              ? invocation.summary.Status === value || invocation.details === value
              : matchesCommand(command, key, value),
          ),
      );
    const { items, NextToken } = page(matching, input as Parameters<typeof page>[1], { min: 1, max: 50, default: 50 });
    return {
      CommandInvocations: items.map(({ invocation }) => ({
        ...invocation.summary,
        CommandPlugins: input.Details ? invocation.plugins.map(({ summary }) => ({ ...summary })) : [],
      })),
      ...(NextToken === undefined ? {} : { NextToken }),
    };
  };
