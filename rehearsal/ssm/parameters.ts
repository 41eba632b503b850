/**
 * Parameter Store: String and StringList. SecureString is refused by name, since nothing here encrypts.
 *
 * Source: Systems Manager API reference, PutParameter; facts: created without overwrite, which is atomic.
 */
import { ServiceError } from '../aws/service.ts';
import { ACCOUNT_ID, REGION } from '../world.ts';
import type { Clock } from './clock.ts';
import { validationError } from './errors.ts';

const TIER_BYTES = { Standard: 4096, Advanced: 8192 } as const;
const MAX_LEVELS = 15;

export interface ParameterVersion {
  readonly name: string;
  readonly type: 'String' | 'StringList';
  readonly value: string;
  readonly version: number;
  readonly tier: 'Standard' | 'Advanced';
  readonly modifiedAt: Date;
  readonly dataType: string;
}

export interface PutParameterInput {
  readonly Name: string;
  readonly Value: string;
  readonly Type?: string;
  readonly Overwrite?: boolean;
  readonly AllowedPattern?: string;
  readonly Tier?: string;
  readonly DataType?: string;
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
}

export class ParameterStore {
  readonly #versions = new Map<string, ParameterVersion[]>();
  readonly #tags = new Map<string, Map<string, string>>();
  readonly #clock: Clock;

  /** @param publicParameters  what AWS has for everybody below /aws/service, by name; nobody else may write there */
  constructor(clock: Clock, publicParameters: ReadonlyMap<string, string> = new Map()) {
    this.#clock = clock;
    for (const [name, value] of publicParameters) {
      const version = { name, value, type: 'String', version: 1, tier: 'Standard', dataType: 'text' } as const;
      this.#versions.set(name, [{ ...version, modifiedAt: new Date(clock.now()) }]);
    }
  }

  put(input: PutParameterInput): ParameterVersion {
    const name = plainName(input.Name);
    checkName(name);
    const before = this.#versions.get(name)?.at(-1);
    const type = input.Type ?? before?.type;
    if (type === undefined) throw validationError('A parameter type is required when you create a parameter.');
    if (type !== 'String' && type !== 'StringList')
      throw new ServiceError(
        'UnsupportedParameterType',
        `Parameters of type ${type} are not supported by the rehearsal.`,
      );
    if (input.AllowedPattern !== undefined && !new RegExp(`^(?:${input.AllowedPattern})$`).test(input.Value))
      throw new ServiceError(
        'ParameterPatternMismatchException',
        `Parameter value, cannot be validated against allowedPattern: ${input.AllowedPattern}`,
      );
    if (before && !input.Overwrite)
      throw new ServiceError(
        'ParameterAlreadyExists',
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
      );
    if (before && input.Tags?.length)
      throw validationError(
        "tags and overwrite can't be used together. To create a parameter with tags, don't overwrite.",
      );
    if (before && before.type !== type)
      throw new ServiceError(
        'HierarchyTypeMismatchException',
        `The parameter ${name} is of type ${before.type} and can't become ${type}.`,
      );
    const bytes = Buffer.byteLength(input.Value);
    if (bytes === 0) throw validationError("Value '' must have length greater than or equal to 1");
    const tier = tierFor(input.Tier, before?.tier, bytes);
    const version: ParameterVersion = {
      name,
      type,
      value: input.Value,
      version: (before?.version ?? 0) + 1,
      tier,
      modifiedAt: new Date(this.#clock.now()),
      dataType: input.DataType ?? 'text',
    };
    // The newest hundred are kept, as Parameter Store does.
    this.#versions.set(name, [...(this.#versions.get(name) ?? []), version].slice(-100));
    if (input.Tags) this.tag(name, input.Tags);
    return version;
  }

  /** @param selector  a name or ARN, with `:version` where one is wanted */
  get(selector: string): ParameterVersion {
    const [, name = '', version] = plainName(selector).match(/^([^:]*)(?::(.+))?$/) ?? [];
    const versions = this.#versions.get(name);
    if (!versions) throw new ServiceError('ParameterNotFound', `Parameter ${selector} not found.`);
    const found = version === undefined ? versions.at(-1) : versions.find((each) => String(each.version) === version);
    if (!found)
      throw new ServiceError(
        'ParameterVersionNotFound',
        `Systems Manager could not find version ${version} of ${name}. Verify the version and try again.`,
      );
    return found;
  }

  underPath(path: string, isRecursive: boolean): ParameterVersion[] {
    if (!path.startsWith('/')) throw validationError(`The parameter path '${path}' must begin with "/".`);
    const prefix = path.endsWith('/') ? path : `${path}/`;
    return [...this.#versions.entries()]
      .filter(([name]) => name.startsWith(prefix) && (isRecursive || !name.slice(prefix.length).includes('/')))
      .flatMap(([, versions]) => versions.at(-1) ?? [])
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  delete(name: string): void {
    if (!this.#versions.delete(plainName(name)))
      throw new ServiceError('ParameterNotFound', `Parameter ${name} not found.`);
    this.#tags.delete(plainName(name));
  }

  has(name: string): boolean {
    return this.#versions.has(plainName(name));
  }

  tag(name: string, tags: readonly { readonly Key: string; readonly Value: string }[]): void {
    const existing = this.#tags.get(name) ?? new Map<string, string>();
    for (const { Key, Value } of tags) existing.set(Key, Value);
    this.#tags.set(name, existing);
  }

  tagsOf(name: string): ReadonlyMap<string, string> {
    return this.#tags.get(name) ?? new Map();
  }
}

export const parameterArn = (name: string): string =>
  `arn:aws:ssm:${REGION}:${ACCOUNT_ID}:parameter${name.startsWith('/') ? '' : '/'}${name}`;

const plainName = (name: string): string => name.replace(/^arn:aws:ssm:[^:]*:[^:]*:parameter(?=\/)/, '');

function checkName(name: string): void {
  if (!/^[a-zA-Z0-9_.\-/]+$/.test(name))
    throw validationError(`Parameter name '${name}' must be of letters, digits and the symbols .-_/`);
  if (/^\/?(aws|ssm)/i.test(name))
    throw validationError(`Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive): ${name}`);
  if (name.includes('/') && !name.startsWith('/'))
    throw validationError(`Parameter name '${name}' must be a fully qualified name: it must begin with "/".`);
  if (name.endsWith('/') || name.includes('//')) throw validationError(`Parameter name '${name}' has an empty level.`);
  if (name.split('/').length - 1 > MAX_LEVELS)
    throw new ServiceError(
      'HierarchyLevelLimitExceededException',
      `A hierarchy can have a maximum of ${MAX_LEVELS} levels.`,
    );
}

function tierFor(
  given: string | undefined,
  before: 'Standard' | 'Advanced' | undefined,
  bytes: number,
): 'Standard' | 'Advanced' {
  const asked = given ?? before ?? 'Standard';
  const tier =
    asked === 'Intelligent-Tiering' ? (bytes > TIER_BYTES.Standard ? 'Advanced' : (before ?? 'Standard')) : asked;
  if (tier !== 'Standard' && tier !== 'Advanced') throw validationError(`Tier '${given}' is not a tier.`);
  if (before === 'Advanced' && tier === 'Standard')
    throw validationError(
      "This parameter uses the advanced-parameter tier. You can't downgrade it to the standard tier.",
    );
  if (bytes > TIER_BYTES[tier])
    throw validationError(
      `${tier} tier parameters support a maximum parameter value of ${TIER_BYTES[tier]} characters; this one has ${bytes}.`,
    );
  return tier;
}
