/**
 * A step's own `outputs`: Name, Selector, Type.
 *
 * A value that is there but of another type fails the step. One that is not there is empty, since documented runbooks
 * compare it (noSnapshotFound in "Properties shared by all actions").
 */
import type { OutputType } from '../document-schema/automation.ts';
import { isObject, type JsonValue, toText } from '../json.ts';
import { select } from './selector.ts';
import { StepFailure } from './step-failure.ts';

export interface OutputDeclaration {
  readonly Name: string;
  readonly Selector: string;
  readonly Type: OutputType;
}

export function typedOutputs(
  response: JsonValue,
  declarations: readonly OutputDeclaration[],
): Record<string, JsonValue> {
  return Object.fromEntries(
    declarations.map((declaration) => [
      declaration.Name,
      typedOutput(select(response, declaration.Selector), declaration),
    ]),
  );
}

const EMPTY: Readonly<Record<OutputType, JsonValue>> = {
  String: '',
  Integer: '',
  Boolean: '',
  StringList: [],
  StringMap: {},
  MapList: [],
};

function typedOutput(value: JsonValue | undefined, { Name, Selector, Type }: OutputDeclaration): JsonValue {
  if (value === undefined || value === null) return EMPTY[Type];
  if (!isOfType(value, Type))
    throw new StepFailure(`Output ${Name}, selected by ${Selector}, is not of type ${Type}: ${toText(value)}`);
  if (Type === 'String') return toText(value);
  return Type === 'StringList' ? (value as JsonValue[]).map(toText) : value;
}

function isOfType(value: JsonValue, type: OutputType): boolean {
  switch (type) {
    case 'String':
      return typeof value !== 'object';
    case 'Integer':
      return Number.isInteger(value);
    case 'Boolean':
      return typeof value === 'boolean';
    case 'StringList':
      return Array.isArray(value) && value.every((item) => typeof item !== 'object');
    case 'StringMap':
      return isObject(value);
    case 'MapList':
      return Array.isArray(value) && value.every(isObject);
    default: {
      const never: never = type;
      throw new Error(`no such type: ${never}`);
    }
  }
}
