/**
 * The `parameters` of a document, Command and Automation.
 *
 * Source: Systems Manager user guide, "Data elements and parameters".
 */
import * as v from 'valibot';

const compiles = (pattern: string): boolean => {
  try {
    new RegExp(pattern);
    return true;
  } catch {
    return false;
  }
};

const properties = {
  description: v.optional(v.string()),
  default: v.optional(v.any()),
  allowedValues: v.optional(v.pipe(v.array(v.union([v.string(), v.number(), v.boolean()])), v.minLength(1))),
  allowedPattern: v.optional(v.pipe(v.string(), v.check(compiles, 'is not a regular expression'))),
  displayType: v.optional(v.picklist(['textfield', 'textarea'])),
  minItems: v.optional(v.pipe(v.number(), v.integer())),
  maxItems: v.optional(v.pipe(v.number(), v.integer())),
  minChars: v.optional(v.pipe(v.number(), v.integer())),
  maxChars: v.optional(v.pipe(v.number(), v.integer())),
};

/** "Command type documents only support the String and StringList parameter types"; ENV_VAR is for String alone. */
const commandParameter = v.union([
  v.strictObject({
    type: v.literal('String'),
    ...properties,
    interpolationType: v.optional(v.literal('ENV_VAR')),
  }),
  v.strictObject({ type: v.literal('StringList'), ...properties }),
]);

const automationTypes = v.union([
  v.picklist(['String', 'StringList', 'Integer', 'Boolean', 'StringMap', 'MapList']),
  // Typed strings, which the console offers a picker for: AWS::IAM::Role::Arn, List<AWS::EC2::Instance::Id>.
  v.pipe(v.string(), v.regex(/^(AWS(::[A-Za-z0-9]+)+|List<AWS(::[A-Za-z0-9]+)+>)$/, 'is not a parameter type')),
]);

const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]+$/, 'is not a parameter name'));

export const commandParameters = v.record(
  name,
  v.lazy((input) => {
    // A union reports every branch; the type decides which one the author meant.
    const [text, list] = commandParameter.options;
    return (input as { type?: unknown } | null)?.type === 'StringList' ? list : text;
  }),
);
export const automationParameters = v.record(name, v.strictObject({ type: automationTypes, ...properties }));

/** One parameter of either kind of document. */
export interface ParameterDefinition {
  readonly type: string;
  readonly description?: string | undefined;
  readonly default?: unknown;
  readonly allowedValues?: readonly (string | number | boolean)[] | undefined;
  readonly allowedPattern?: string | undefined;
  readonly minItems?: number | undefined;
  readonly maxItems?: number | undefined;
  readonly minChars?: number | undefined;
  readonly maxChars?: number | undefined;
  readonly interpolationType?: 'ENV_VAR' | undefined;
}
