import type { ListCommandsRequest, ListCommandsResult } from '@aws-sdk/client-ssm';
import { ServiceError } from '../../aws/service.ts';
import { page } from '../paging.ts';
import type { SentCommand } from '../run-command/run-command.ts';
import type { SsmContext } from './context.ts';

export const listCommands =
  ({ runCommand }: SsmContext) =>
  (input: ListCommandsRequest): ListCommandsResult => {
    if (input.CommandId !== undefined && !runCommand.find(input.CommandId))
      throw new ServiceError('InvalidCommandId', `Command ${input.CommandId} does not exist.`);
    const matching = runCommand.commands.filter(
      (command) =>
        (input.CommandId === undefined || command.id === input.CommandId) &&
        (input.InstanceId === undefined ||
          command.invocations.some(({ instance }) => instance.instanceId === input.InstanceId)) &&
        (input.Filters ?? []).every(({ key = '', value = '' }) => matchesCommand(command, key, value)),
    );
    const { items, NextToken } = page(matching, input as Parameters<typeof page>[1], { min: 1, max: 50, default: 50 });
    return {
      Commands: items.map(({ summary }) => ({ ...summary })),
      ...(NextToken === undefined ? {} : { NextToken }),
    };
  };

export function matchesCommand({ summary }: SentCommand, key: string, value: string): boolean {
  const requestedAt = summary.RequestedDateTime?.getTime() ?? 0;
  switch (key) {
    case 'Status':
      return summary.Status === value || summary.StatusDetails === value;
    case 'DocumentName':
      return summary.DocumentName === value;
    case 'InvokedAfter':
      return requestedAt > Date.parse(value);
    case 'InvokedBefore':
      return requestedAt < Date.parse(value);
    default:
      throw new ServiceError('InvalidFilterKey', `The filter key ${key} is not supported by the rehearsal.`);
  }
}
