import { randomUUID } from 'node:crypto';
import { installCode, lastModified, parseSettings, refuseUnknown, requireTrust } from '../function-input.ts';
import type { LambdaActions } from '../parts.ts';
import { describeFunction } from './get-function.ts';

/** An update ends the environments that exist: the next invocation starts with the new code and settings. */
export const updateFunction: LambdaActions<'UpdateFunctionCode' | 'UpdateFunctionConfiguration'> = ({
  store,
  invoker,
  getObject,
  security,
  codeDirectory,
}) => ({
  async UpdateFunctionCode({ FunctionName, ZipFile, S3Bucket, S3Key, S3ObjectVersion, ImageUri, ...rest }) {
    const found = store.get(FunctionName);
    const { DryRun, ...other } = rest;
    refuseUnknown(other);
    const location = { ZipFile, S3Bucket, S3Key, S3ObjectVersion, ImageUri };
    const code = await installCode(location, codeDirectory(found.configuration.FunctionName), getObject);
    if (DryRun === true) return describeFunction(found);
    found.configuration = { ...found.configuration, ...code.settings };
    found.codeDirectory = code.directory;
    await invoker.retire(found);
    return describeFunction(found);
  },
  async UpdateFunctionConfiguration(input) {
    const found = store.get(input.FunctionName);
    refuseUnknown(input);
    const settings = parseSettings(input, found.configuration);
    if (input.Role !== undefined) requireTrust(settings, security);
    found.configuration = {
      ...found.configuration,
      ...settings,
      LastModified: lastModified(),
      RevisionId: randomUUID(),
    };
    await invoker.retire(found);
    return describeFunction(found);
  },
});
