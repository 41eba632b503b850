import type { CancelCommandRequest } from '@aws-sdk/client-ssm';
import type { SsmContext } from './context.ts';

export const cancelCommand =
  ({ runCommand }: SsmContext) =>
  ({ CommandId = '', InstanceIds }: CancelCommandRequest): object => {
    runCommand.cancel(CommandId, InstanceIds);
    return {};
  };
