/**
 * The values that a document is run with: what the caller gave, the defaults, and the rules that the document sets.
 *
 * A value reaches the API as a list of strings whatever its type is (SendCommand, StartAutomationExecution).
 */
import type { ParameterDefinition } from './document-schema/index.ts';
import { isObject, type JsonValue, toText, toTexts } from './json.ts';
import type { ParameterStore } from './parameters.ts';

export type ParameterValues = Readonly<Record<string, JsonValue>>;

/** What is wrong with a value; which error that is, the caller knows (`InvalidParameters`, or Automation's own). */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
}

export function resolveParameters(
  definitions: Readonly<Record<string, ParameterDefinition>>,
  given: Readonly<Record<string, readonly string[]>>,
  store: ParameterStore,
): Record<string, JsonValue> {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(definitions, name));
  if (unknown.length > 0)
    throw new ParameterError(`Parameters [${unknown.join(', ')}] are not defined in the document`);
  const values: Record<string, JsonValue> = {};
  const missing: string[] = [];
  for (const [name, definition] of Object.entries(definitions)) {
    const texts = given[name];
    if (texts === undefined && definition.default === undefined) missing.push(name);
    else
      values[name] =
        texts === undefined ? fromStore(definition.default as JsonValue, store) : typed(name, definition.type, texts);
  }
  if (missing.length > 0)
    throw new ParameterError(`Parameters [${missing.join(', ')}] are required and have no default`);
  for (const [name, definition] of Object.entries(definitions)) check(name, definition, values[name] as JsonValue);
  return values;
}

function typed(name: string, type: string, texts: readonly string[]): JsonValue {
  if (type === 'StringList' || type.startsWith('List<')) return [...texts];
  if (type === 'MapList') return texts.map((text) => parsed(name, type, text, isObject));
  if (texts.length !== 1)
    throw new ParameterError(`Parameter ${name} of type ${type} takes one value, not ${texts.length}`);
  const text = texts[0] as string;
  switch (type) {
    case 'Integer':
      return parsed(name, type, text, Number.isInteger);
    case 'Boolean':
      return parsed(name, type, text.toLowerCase(), (value) => typeof value === 'boolean');
    case 'StringMap':
      return parsed(name, type, text, isObject);
    default:
      return text;
  }
}

function parsed(name: string, type: string, text: string, isOfType: (value: unknown) => boolean): JsonValue {
  try {
    const value: unknown = JSON.parse(text);
    if (isOfType(value)) return value as JsonValue;
  } catch {
    // Said below, with the value.
  }
  throw new ParameterError(`Parameter ${name} must be of type ${type}: ${text}`);
}

const REFERENCE = /^\{\{ ?ssm:([^{}]+?) ?\}\}$/;

const isReference = (value: JsonValue | undefined): boolean => typeof value === 'string' && REFERENCE.test(value);

/**
 * What the agent does with references to Parameter Store each time it runs the document: their values, held to the document's rules.
 * A parameter that goes into an environment variable keeps its text: that references are read there is not documented.
 *
 * @throws ParameterError  a parameter of the store that is not there, or a value that the document does not allow
 */
export function resolveReferences(
  definitions: Readonly<Record<string, ParameterDefinition>>,
  values: ParameterValues,
  store: Pick<ParameterStore, 'get'>,
): ParameterValues {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const definition = definitions[name];
      if (definition === undefined || definition.interpolationType === 'ENV_VAR' || !isReference(value))
        return [name, value];
      const stored = storedValue(REFERENCE.exec(toText(value))?.[1] ?? '', store);
      check(name, definition, stored);
      return [name, stored];
    }),
  );
}

function storedValue(name: string, store: Pick<ParameterStore, 'get'>): string {
  try {
    return store.get(name).value;
  } catch (cause) {
    // The agent's own words (docparser/parameterstore).
    throw new ParameterError(`Input contains invalid parameters [${name}]`, { cause });
  }
}

/** A default may name a parameter of the store: `{{ssm:name}}`. */
function fromStore(value: JsonValue, store: ParameterStore): JsonValue {
  if (Array.isArray(value)) return value.map((item) => fromStore(item, store));
  const name = typeof value === 'string' ? value.match(/^\{\{\s*ssm:([^{}]+?)\s*\}\}$/)?.[1] : undefined;
  return name === undefined ? value : store.get(name).value;
}

function check(name: string, rules: ParameterDefinition, value: JsonValue): void {
  // The agent's to check, once it has read what is referred to.
  if (isReference(value)) return;
  // The empty text is how an optional parameter is left out, and the rules are for what is given.
  if (value === '' && rules.default === '') return;
  const texts = toTexts(value);
  if (rules.allowedValues && !texts.every((text) => rules.allowedValues?.map(String).includes(text)))
    throw new ParameterError(
      `Parameter ${name} has value ${toText(value)}, which is not one of ${rules.allowedValues.join(', ')}`,
    );
  if (rules.allowedPattern !== undefined) {
    const pattern = new RegExp(rules.allowedPattern);
    const wrong = texts.find((text) => !pattern.test(text));
    if (wrong !== undefined)
      throw new ParameterError(`Parameter ${name} has value ${wrong}, which does not match ${rules.allowedPattern}`);
  }
  const count = Array.isArray(value) ? value.length : undefined;
  if (count !== undefined && (count < (rules.minItems ?? 0) || count > (rules.maxItems ?? Infinity)))
    throw new ParameterError(`Parameter ${name} has ${count} items, which is not between its minItems and maxItems`);
  const { length } = toText(value);
  if (count === undefined && (length < (rules.minChars ?? 0) || length > (rules.maxChars ?? Infinity)))
    throw new ParameterError(
      `Parameter ${name} has ${length} characters, which is not between its minChars and maxChars`,
    );
}
