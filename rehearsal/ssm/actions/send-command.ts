import type { SendCommandRequest, SendCommandResult } from '@aws-sdk/client-ssm';
import { validationError } from '../errors.ts';
import type { SendCommandInput } from '../run-command/run-command.ts';
import type { SsmContext } from './context.ts';

/** Where output goes beside the API, and who is told; refused, never ignored. */
const UNSUPPORTED = [
  'OutputS3BucketName',
  'NotificationConfig',
  'CloudWatchOutputConfig',
  'AlarmConfiguration',
  'DocumentHash',
] as const;

export const sendCommand =
  ({ runCommand }: SsmContext) =>
  (input: SendCommandRequest): SendCommandResult => {
    const unsupported = UNSUPPORTED.filter((name) => input[name] !== undefined);
    if (unsupported.length > 0) throw validationError(`${unsupported.join(', ')} is not supported by the rehearsal.`);
    return { Command: runCommand.send(input as SendCommandInput).summary };
  };
