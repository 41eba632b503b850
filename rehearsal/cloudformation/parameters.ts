/** Parameters of a template: what they may be, and what they are. Source: CloudFormation user guide, "Parameters". */
import { templateError, validationError } from './errors.ts';
import type { Json, JsonObject } from './json.ts';

export interface ParameterInput {
  readonly ParameterKey?: string;
  readonly ParameterValue?: string;
  readonly UsePreviousValue?: boolean;
}

interface ParameterValue {
  /** As it was given. */
  readonly text: string;
  /** What Ref gives: text, or a list of texts. */
  readonly value: Json;
  readonly isSecret: boolean;
  /** For AWS::SSM::Parameter::Value: what stands in the store. */
  readonly resolvedText: string | undefined;
}

export type ParameterValues = ReadonlyMap<string, ParameterValue>;
export type ReadStoredParameter = (name: string) => Promise<string>;

const LIST_TYPES = /^(CommaDelimitedList|List<.+>)$/;
const STORED_TYPE = /^AWS::SSM::Parameter::Value<(.+)>$/;
const PLAIN_TYPE =
  /^(String|Number|CommaDelimitedList|List<(String|Number|AWS::[\w:]+)>|AWS::EC2::[\w:]+|AWS::Route53::HostedZone::Id|AWS::SSM::Parameter::Name)$/;

/** @throws ServiceError ValidationError  naming the parameter, and what it should have been */
export async function resolveParameters(
  declarations: Readonly<Record<string, JsonObject>>,
  inputs: readonly ParameterInput[],
  previous: ParameterValues | undefined,
  readStored: ReadStoredParameter,
): Promise<ParameterValues> {
  const unknown = inputs.map(({ ParameterKey = '' }) => ParameterKey).filter((key) => !(key in declarations));
  if (unknown.length > 0) throw validationError(`Parameters: [${unknown.join(', ')}] do not exist in the template`);
  const texts = Object.entries(declarations).map(([name, declaration]) => {
    const input = inputs.find(({ ParameterKey }) => ParameterKey === name);
    const fallback = declaration.Default === undefined ? undefined : String(declaration.Default);
    const given = input?.UsePreviousValue === true ? previous?.get(name)?.text : input?.ParameterValue;
    return { name, declaration, text: given ?? fallback };
  });
  const missing = texts.filter(({ text }) => text === undefined).map(({ name }) => name);
  if (missing.length > 0) throw validationError(`Parameters: [${missing.join(', ')}] must have values`);
  const values = new Map<string, ParameterValue>();
  for (const { name, declaration, text = '' } of texts) {
    values.set(name, await resolveParameter(name, declaration, text, readStored));
  }
  return values;
}

async function resolveParameter(
  name: string,
  declaration: JsonObject,
  text: string,
  readStored: ReadStoredParameter,
): Promise<ParameterValue> {
  const type = String(declaration.Type ?? '');
  const stored = STORED_TYPE.exec(type)?.[1];
  if (!PLAIN_TYPE.test(stored ?? type)) {
    throw templateError(`Unrecognized parameter type: ${type} (parameter ${name}), or not supported by the rehearsal`);
  }
  requireAllowed(name, declaration, type, text);
  const resolvedText = stored === undefined ? undefined : await readStored(text);
  const effective = resolvedText ?? text;
  return {
    text,
    value: LIST_TYPES.test(stored ?? type) ? splitList(effective) : effective,
    isSecret: String(declaration.NoEcho) === 'true',
    resolvedText,
  };
}

/** "The total number of strings should be one more than the total number of commas": of an empty text one, which is empty. */
function splitList(text: string): string[] {
  return text.split(',').map((item) => item.trim());
}

function requireAllowed(name: string, declaration: JsonObject, type: string, text: string): void {
  const refuse = (rule: string): never => {
    const described = declaration.ConstraintDescription;
    throw validationError(
      described === undefined
        ? `Parameter ${name} failed to satisfy constraint: ${rule}`
        : `Parameter ${name} failed to satisfy constraint: ${String(described)}`,
    );
  };
  const items = LIST_TYPES.test(type) ? splitList(text) : [text];
  if (type === 'Number' || type === 'List<Number>') {
    for (const item of items) {
      if (item.trim() === '' || Number.isNaN(Number(item)))
        throw validationError(`Parameter '${name}' must be a number.`);
    }
  }
  const { AllowedValues: allowed, AllowedPattern: pattern } = declaration;
  if (Array.isArray(allowed) && !items.every((item) => allowed.map(String).includes(item))) {
    throw validationError(`Parameter '${name}' must be one of AllowedValues`);
  }
  if (pattern !== undefined && !items.every((item) => new RegExp(`^(?:${String(pattern)})$`).test(item))) {
    refuse(`parameter value must match pattern ${String(pattern)}`);
  }
  const limit = (key: string): number | undefined =>
    declaration[key] === undefined ? undefined : Number(declaration[key]);
  if (text.length < (limit('MinLength') ?? 0)) refuse(`parameter must have length at least ${limit('MinLength')}`);
  if (text.length > (limit('MaxLength') ?? Number.POSITIVE_INFINITY))
    refuse(`parameter must have length at most ${limit('MaxLength')}`);
  if (Number(text) < (limit('MinValue') ?? Number.NEGATIVE_INFINITY))
    refuse(`parameter must be at least ${limit('MinValue')}`);
  if (Number(text) > (limit('MaxValue') ?? Number.POSITIVE_INFINITY))
    refuse(`parameter must be at most ${limit('MaxValue')}`);
}
