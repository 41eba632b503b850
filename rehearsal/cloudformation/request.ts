/** What CreateStack, UpdateStack and CreateChangeSet have in common: template, parameters, capabilities, settings. */
import { ServiceError } from '../aws/service.ts';
import { validationError } from './errors.ts';
import type { GetObject } from './include.ts';
import type { ParameterInput, ParameterValues, ReadStoredParameter } from './parameters.ts';
import { type PreparedTemplate, prepareTemplate } from './prepare.ts';
import type { FindType } from './resources/index.ts';
import type { Stack, StackSettings } from './stack.ts';

export interface StackRequest {
  readonly StackName?: string;
  readonly TemplateBody?: string;
  readonly TemplateURL?: string;
  readonly UsePreviousTemplate?: boolean;
  readonly Parameters?: readonly ParameterInput[];
  readonly Capabilities?: readonly string[];
  readonly Tags?: readonly { readonly Key?: string; readonly Value?: string }[];
  readonly DisableRollback?: boolean;
  readonly OnFailure?: string;
  readonly OnStackFailure?: string;
  readonly ClientRequestToken?: string;
}

/** Accepted and without effect; the others of the API are refused by name. */
const IGNORED = new Set(['NotificationARNs', 'TimeoutInMinutes', 'EnableTerminationProtection', 'ResourceTypes']);
const KNOWN = new Set([
  'StackName',
  'TemplateBody',
  'TemplateURL',
  'UsePreviousTemplate',
  'Parameters',
  'Capabilities',
  'Tags',
  'DisableRollback',
  'OnFailure',
  'OnStackFailure',
  'ClientRequestToken',
  'ChangeSetName',
  'ChangeSetType',
  'Description',
  'ClientToken',
  'IncludeNestedStacks',
]);
/** Bytes. Source: CloudFormation quotas. */
const MAXIMUM_BODY = 51_200;
const MAXIMUM_OBJECT = 1_048_576;

export function refuseUnknown(input: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(input)) {
    const isEmpty = value === undefined || value === false || (Array.isArray(value) && value.length === 0);
    if (!isEmpty && !KNOWN.has(name) && !IGNORED.has(name)) {
      throw validationError(`${name} is not supported by the rehearsal`);
    }
  }
}

export function requireStackName(name: string | undefined): string {
  if (name !== undefined && /^[A-Za-z][-A-Za-z0-9]{0,127}$/.test(name)) return name;
  throw validationError(
    `1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
  );
}

export function readSettings(input: StackRequest): StackSettings {
  const onFailure =
    input.OnFailure ?? input.OnStackFailure ?? (input.DisableRollback === true ? 'DO_NOTHING' : 'ROLLBACK');
  if (input.DisableRollback !== undefined && input.OnFailure !== undefined) {
    throw validationError('You can specify either DisableRollback or OnFailure, but not both.');
  }
  if (onFailure !== 'ROLLBACK' && onFailure !== 'DELETE' && onFailure !== 'DO_NOTHING') {
    throw validationError(`OnFailure must be DO_NOTHING, ROLLBACK or DELETE, not ${onFailure}`);
  }
  return {
    capabilities: input.Capabilities ?? [],
    tags: Object.fromEntries((input.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
    onFailure,
    clientRequestToken: input.ClientRequestToken,
  };
}

export interface RequestOptions {
  readonly getObject: GetObject;
  readonly readStored: (name: string, accessKeyId: string) => ReturnType<ReadStoredParameter>;
  readonly findType: FindType;
}

export async function prepareRequest(
  input: StackRequest,
  stack: Pick<Stack, 'name' | 'id' | 'prepared'>,
  options: RequestOptions,
  accessKeyId: string,
): Promise<PreparedTemplate> {
  const body = await readBody(input, stack.prepared, options.getObject);
  const previous: ParameterValues | undefined = stack.prepared?.parameters;
  return prepareTemplate(body, input.Parameters ?? [], previous, {
    ...options,
    readStored: (name) => options.readStored(name, accessKeyId),
    stackName: stack.name,
    stackId: stack.id,
  });
}

export async function readBody(
  input: StackRequest,
  previous: PreparedTemplate | undefined,
  getObject: GetObject,
): Promise<string> {
  const { TemplateBody: body, TemplateURL: url, UsePreviousTemplate: usePrevious } = input;
  if ([body !== undefined, url !== undefined, usePrevious === true].filter(Boolean).length !== 1) {
    throw validationError('Either Template URL or Template Body must be specified.');
  }
  if (body !== undefined) return requireSize(body, 'templateBody', MAXIMUM_BODY);
  if (url === undefined) {
    if (previous === undefined) throw validationError('No previous template found.');
    return previous.body;
  }
  const { bucket, key } = parseObjectUrl(url);
  try {
    return requireSize(Buffer.from(await getObject(bucket, key)).toString('utf8'), 'template', MAXIMUM_OBJECT);
  } catch (error) {
    throw validationError(`S3 error: ${(error as Error).message}`);
  }
}

function requireSize(body: string, member: string, limit: number): string {
  if (Buffer.byteLength(body) <= limit) return body;
  throw validationError(
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must have length less than or equal to ${limit}`,
  );
}

/** Virtual-hosted and path style, on AWS's host names or on an endpoint of any other name. */
function parseObjectUrl(url: string): { bucket: string; key: string } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const path = decodeURIComponent(parsed?.pathname.slice(1) ?? '');
  const [, hosted] = /^(.+)\.s3[.-][a-z0-9.-]*amazonaws\.com$/.exec(parsed?.hostname ?? '') ?? [];
  const slash = path.indexOf('/');
  const found =
    hosted !== undefined ? { bucket: hosted, key: path } : { bucket: path.slice(0, slash), key: path.slice(slash + 1) };
  if (parsed === undefined || found.bucket === '' || found.key === '') {
    throw validationError('TemplateURL must be a supported URL.');
  }
  return found;
}

/** @throws ServiceError InsufficientCapabilitiesException naming what is to be acknowledged */
export function requireCapabilities(
  prepared: PreparedTemplate,
  given: readonly string[],
  findType: FindType,
  options: { readonly isChangeSet: boolean },
): void {
  const needed = neededCapabilities(prepared, findType);
  const has = (capability: string): boolean =>
    given.includes(capability) || (capability === 'CAPABILITY_IAM' && given.includes('CAPABILITY_NAMED_IAM'));
  const missing = needed.find((capability) => !has(capability));
  if (missing !== undefined) throw insufficient(missing);
  // A change set shows the processed template before it is executed, so macros need no acknowledgement there.
  if (prepared.hasMacros && !options.isChangeSet && !given.includes('CAPABILITY_AUTO_EXPAND')) {
    throw insufficient('CAPABILITY_AUTO_EXPAND');
  }
}

function neededCapabilities(prepared: PreparedTemplate, findType: FindType): string[] {
  const needed = [...prepared.resources.values()].flatMap(
    ({ type, properties }) => findType(type)?.capability?.(properties) ?? [],
  );
  if (needed.includes('CAPABILITY_NAMED_IAM')) return ['CAPABILITY_NAMED_IAM'];
  return needed.length > 0 ? ['CAPABILITY_IAM'] : [];
}

function insufficient(capability: string): ServiceError {
  return new ServiceError('InsufficientCapabilitiesException', `Requires capabilities : [${capability}]`);
}
