/** What CreateFunction and the two updates may say: checked, with the service's own errors. Source: Lambda API reference. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ServiceError } from '../aws/service.ts';
import { RoleNotAssumable, type Security } from '../iam/security.ts';
import type { FunctionConfiguration } from './function-store.ts';
import { readZip } from './zip.ts';

/** The runtime that the rehearsal has a Node.js binary for. */
const RUNTIME = 'nodejs24.x';

/** Kept or harmless. Every other member of the input is refused by name. */
const SETTINGS = new Set([
  'FunctionName', 'Runtime', 'Role', 'Handler', 'Description', 'Timeout', 'MemorySize', 'Environment', 'Architectures',
  'LoggingConfig', 'PackageType', 'TracingConfig', 'EphemeralStorage', 'Tags', 'Code', 'Publish', 'RevisionId',
]); // biome-ignore format: one set

const RESERVED_VARIABLES =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_REGION|REGION|EXECUTION_ENV|LAMBDA_.*|ACCESS_KEY(_ID)?|SECRET_ACCESS_KEY|SESSION_TOKEN)|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR)$/;

export function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterValueException', message, 400, { Type: 'User' });
}

/** @throws ServiceError InvalidParameterValueException  a setting that is not in the rehearsal, by name */
export function refuseUnknown(input: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(input)) {
    if (!isSet(value) || SETTINGS.has(name)) continue;
    throw invalid(`${name} is not supported by the rehearsal`);
  }
  if (input.Publish === true) throw invalid('Publish is not supported by the rehearsal: there is $LATEST alone');
  if (isSet(input.PackageType) && input.PackageType !== 'Zip') {
    throw invalid(`PackageType ${input.PackageType} is not supported by the rehearsal`);
  }
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  return !(typeof value === 'object' && Object.values(value).every((each) => !isSet(each)));
}

type Settings = Pick<
  FunctionConfiguration,
  'FunctionName' | 'FunctionArn' | 'Runtime' | 'Role' | 'Handler' | 'Description' | 'Timeout' | 'MemorySize'
> &
  Pick<FunctionConfiguration, 'Architectures' | 'LoggingConfig'> & {
    readonly Environment?: { readonly Variables: Readonly<Record<string, string>> };
  };

/** Settings given replace those before; those absent stay. */
// biome-ignore lint/suspicious/noExplicitAny: the wire's own shape, checked member by member here
export function parseSettings(input: any, before: Settings): Settings {
  const settings: Settings = {
    ...before,
    Runtime: input.Runtime ?? before.Runtime,
    Role: input.Role ?? before.Role,
    Handler: input.Handler ?? before.Handler,
    Description: input.Description ?? before.Description,
    Timeout: input.Timeout ?? before.Timeout,
    MemorySize: input.MemorySize ?? before.MemorySize,
    Architectures: input.Architectures ?? before.Architectures,
    LoggingConfig: { LogFormat: 'Text', LogGroup: input.LoggingConfig?.LogGroup ?? before.LoggingConfig.LogGroup },
    ...(input.Environment !== undefined && { Environment: { Variables: { ...input.Environment.Variables } } }),
  };
  if (settings.Runtime !== RUNTIME) {
    throw invalid(`Runtime ${settings.Runtime} is not supported by the rehearsal: it has ${RUNTIME}`);
  }
  if (!/^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(settings.Role)) throw validation('role', settings.Role);
  if (!/^[^\s]{1,128}$/.test(settings.Handler)) throw validation('handler', settings.Handler);
  requireRange('timeout', settings.Timeout, 1, 900);
  requireRange('memorySize', settings.MemorySize, 128, 10_240);
  if (isSet(input.LoggingConfig?.LogFormat) && input.LoggingConfig.LogFormat !== 'Text') {
    throw invalid(`LoggingConfig.LogFormat ${input.LoggingConfig.LogFormat} is not supported by the rehearsal`);
  }
  requireFreeNames(settings.Environment?.Variables ?? {});
  return settings;
}

/** @throws ServiceError InvalidParameterValueException  Lambda tries the role when it is given */
export function requireTrust({ Role, FunctionName, FunctionArn }: Settings, security: Security): void {
  try {
    security.assume({
      roleArn: Role,
      principal: 'lambda.amazonaws.com',
      sessionName: FunctionName,
      sourceArn: FunctionArn,
    });
  } catch (error) {
    if (!(error instanceof RoleNotAssumable)) throw error;
    throw invalid('The role defined for the function cannot be assumed by Lambda.');
  }
}

function requireRange(member: string, value: unknown, minimum: number, maximum: number): void {
  if (Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum) return;
  throw validation(member, value);
}

function validation(member: string, value: unknown): ServiceError {
  const message = `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint`;
  return new ServiceError('ValidationException', message);
}

function requireFreeNames(variables: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(variables).filter((name) => RESERVED_VARIABLES.test(name));
  if (reserved.length > 0) {
    throw invalid(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    );
  }
  // Lambda's limit is on all names and values together.
  if (Buffer.byteLength(JSON.stringify(variables)) > 4096) {
    throw invalid(
      'Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.',
    );
  }
}

export interface CodeLocation {
  readonly ZipFile?: Uint8Array;
  readonly S3Bucket?: string;
  readonly S3Key?: string;
  readonly S3ObjectVersion?: string;
  readonly ImageUri?: string;
}

export type GetObject = (bucket: string, key: string) => Promise<Uint8Array>;

export interface InstalledCode {
  readonly directory: string;
  readonly settings: Pick<FunctionConfiguration, 'CodeSize' | 'CodeSha256' | 'LastModified' | 'RevisionId'>;
}

/** Fetch, unpack and keep a deployment package, in a directory of its own for each content. */
export async function installCode(code: CodeLocation, directory: string, getObject: GetObject): Promise<InstalledCode> {
  const archive = await readArchive(code, getObject);
  const digest = createHash('sha256').update(archive).digest();
  const target = path.join(directory, digest.toString('hex').slice(0, 16));
  let entries: ReturnType<typeof readZip>;
  try {
    entries = readZip(archive);
  } catch (error) {
    throw invalid(`Could not unzip uploaded file. Please check your file, then try to upload again. (${error})`);
  }
  for (const { name, data, mode } of entries) {
    const file = path.join(target, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, data, { mode: mode ?? 0o644 });
  }
  return {
    directory: target,
    settings: {
      CodeSize: archive.byteLength,
      CodeSha256: digest.toString('base64'),
      LastModified: lastModified(),
      RevisionId: randomUUID(),
    },
  };
}

/** As Lambda writes it: `2026-11-21T10:00:00.000+0000`. */
export function lastModified(): string {
  return new Date().toISOString().replace('Z', '+0000');
}

async function readArchive(code: CodeLocation, getObject: GetObject): Promise<Uint8Array> {
  if (code.ZipFile !== undefined) return code.ZipFile;
  if (code.ImageUri !== undefined) throw invalid('ImageUri is not supported by the rehearsal');
  if (code.S3ObjectVersion !== undefined) throw invalid('S3ObjectVersion is not supported by the rehearsal');
  if (code.S3Bucket === undefined || code.S3Key === undefined)
    throw invalid('Please provide a source for function code.');
  try {
    return await getObject(code.S3Bucket, code.S3Key);
  } catch (error) {
    const { code: errorCode = 'NoSuchKey', message } = error as ServiceError;
    throw invalid(
      `Error occurred while GetObject. S3 Error Code: ${errorCode}. S3 Error Message: ${message} (${code.S3Bucket}/${code.S3Key})`,
    );
  }
}
