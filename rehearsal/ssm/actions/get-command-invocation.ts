import type { GetCommandInvocationRequest, GetCommandInvocationResult } from '@aws-sdk/client-ssm';
import { ServiceError } from '../../aws/service.ts';
import { cut, MAX_STDERR, MAX_STDOUT } from '../run-command/output.ts';
import { isTerminal } from '../run-command/statuses.ts';
import type { SsmContext } from './context.ts';

/** "This plugin name is required if the document has more than one"; output is there once the plugin has ended. */
export const getCommandInvocation =
  ({ runCommand }: SsmContext) =>
  ({ CommandId = '', InstanceId = '', PluginName }: GetCommandInvocationRequest): GetCommandInvocationResult => {
    const command = runCommand.find(CommandId);
    const invocation =
      command && runCommand.visibleInvocations(command).find(({ instance }) => instance.instanceId === InstanceId);
    if (!invocation) throw new ServiceError('InvocationDoesNotExist', '');
    const { plugins, summary, details } = invocation;
    const plugin =
      PluginName === undefined
        ? plugins.length === 1
          ? plugins[0]
          : undefined
        : plugins.find((each) => each.summary.Name === PluginName);
    if (!plugin) throw new ServiceError('InvalidPluginName', `Name the plugin; the document has ${plugins.length}.`);
    const { ResponseStartDateTime: start, ResponseFinishDateTime: finish, ResponseCode, Name } = plugin.summary;
    return {
      CommandId,
      InstanceId,
      Comment: summary.Comment,
      DocumentName: summary.DocumentName,
      DocumentVersion: summary.DocumentVersion,
      PluginName: Name,
      ResponseCode,
      ExecutionStartDateTime: start?.toISOString() ?? '',
      ExecutionElapsedTime: start && finish ? `PT${(finish.getTime() - start.getTime()) / 1000}S` : '',
      ExecutionEndDateTime: finish?.toISOString() ?? '',
      Status: summary.Status,
      StatusDetails: details,
      StandardOutputContent: isTerminal(details) ? cut(plugin.stdout, MAX_STDOUT) : '',
      StandardOutputUrl: '',
      StandardErrorContent: isTerminal(details) ? cut(plugin.stderr, MAX_STDERR) : '',
      StandardErrorUrl: '',
      CloudWatchOutputConfig: { CloudWatchLogGroupName: '', CloudWatchOutputEnabled: false },
    };
  };
