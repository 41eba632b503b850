import { installCode, invalid, parseSettings, refuseUnknown, requireTrust } from '../function-input.ts';
import { functionArn, parseFunctionName } from '../function-store.ts';
import type { LambdaActions } from '../parts.ts';
import { describeFunction } from './get-function.ts';

/** The function is Active at once; Lambda has it Pending for some seconds first. */
export const createFunction: LambdaActions<'CreateFunction'> = ({
  store,
  getObject,
  security,
  codeDirectory,
  openLog,
}) => ({
  async CreateFunction(input) {
    refuseUnknown(input);
    for (const name of ['Runtime', 'Handler'] as const) {
      if (input[name] === undefined)
        throw invalid(`${name} is mandatory for functions created with deployment packages.`);
    }
    const name = parseFunctionName(input.FunctionName);
    const settings = parseSettings(input, {
      FunctionName: name,
      FunctionArn: functionArn(name),
      Runtime: '',
      Role: '',
      Handler: '',
      Description: '',
      Timeout: 3,
      MemorySize: 128,
      Architectures: ['x86_64'],
      LoggingConfig: { LogFormat: 'Text', LogGroup: `/aws/lambda/${name}` },
    });
    requireTrust(settings, security);
    const code = await installCode(input.Code ?? {}, codeDirectory(name), getObject);
    store.add({
      configuration: { ...settings, ...code.settings },
      codeDirectory: code.directory,
      tags: { ...input.Tags },
      eventInvokeConfig: undefined,
      reservedConcurrency: undefined,
      recursiveLoop: 'Terminate',
      permissions: new Map(),
      environments: new Set(),
      pendingKills: [],
      timersDividedBy: 1,
      log: openLog(name),
    });
    return describeFunction(store.get(name));
  },
});
