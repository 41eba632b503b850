/**
 * Automation runbooks, schema 0.3, with exactly the actions that the rehearsal runs.
 *
 * Source: Systems Manager user guide, "Systems Manager Automation actions reference": the page of each action, and
 * "Properties shared by all actions".
 */
import * as v from 'valibot';
import { isSupportedSelector } from '../automation/selector.ts';
import { automationParameters, type ParameterDefinition } from './parameters.ts';

const text = v.string();
const json = v.any();
const wholeReference = v.pipe(text, v.regex(/^\{\{[^{}]+\}\}$/, 'is neither a value nor a {{ reference }}'));
const texts = v.union([v.array(text), wholeReference]);
const integer = v.union([v.pipe(v.number(), v.integer()), wholeReference]);
const selector = v.pipe(text, v.check(isSupportedSelector, 'is not a JSONPath that the rehearsal can evaluate'));

const common = {
  name: v.pipe(text, v.regex(/^[a-zA-Z0-9_]+$/, 'is not a step name: [a-zA-Z0-9_]+')),
  description: v.optional(text),
  onFailure: v.optional(v.pipe(text, v.regex(/^(Abort|Continue|step:\w+)$/, 'is not Abort, Continue or step:<name>'))),
  onCancel: v.optional(v.pipe(text, v.regex(/^(Abort|step:\w+)$/, 'is not Abort or step:<name>'))),
  nextStep: v.optional(text),
  isEnd: v.optional(v.boolean()),
  isCritical: v.optional(v.boolean()),
  maxAttempts: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  timeoutSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
};

const OUTPUT_TYPES = ['String', 'Integer', 'Boolean', 'StringList', 'StringMap', 'MapList'] as const;

const outputs = {
  outputs: v.optional(v.array(v.strictObject({ Name: text, Selector: selector, Type: v.picklist(OUTPUT_TYPES) }))),
};

const target = v.strictObject({ Key: text, Values: texts });

const runCommand = v.strictObject({
  action: v.literal('aws:runCommand'),
  ...common,
  inputs: v.strictObject({
    DocumentName: text,
    InstanceIds: v.optional(texts),
    Targets: v.optional(v.union([v.array(target), wholeReference])),
    Parameters: v.optional(v.record(text, json)),
    TimeoutSeconds: v.optional(integer),
    MaxConcurrency: v.optional(v.union([text, integer])),
    MaxErrors: v.optional(v.union([text, integer])),
    Comment: v.optional(text),
  }),
});

const invokeLambdaFunction = v.strictObject({
  action: v.literal('aws:invokeLambdaFunction'),
  ...common,
  ...outputs,
  inputs: v.strictObject({
    FunctionName: text,
    Qualifier: v.optional(text),
    InvocationType: v.optional(v.picklist(['RequestResponse', 'Event', 'DryRun'])),
    LogType: v.optional(v.picklist(['None', 'Tail'])),
    InputPayload: v.optional(v.record(text, json)),
    Payload: v.optional(text),
  }),
});

/** The inputs beside these are the API's own; the service that is called checks them. */
const executeAwsApi = v.strictObject({
  action: v.literal('aws:executeAwsApi'),
  ...common,
  ...outputs,
  inputs: v.looseObject({ Service: text, Api: text }),
});

const resourceProperty = {
  ...common,
  inputs: v.looseObject({ Service: text, Api: text, PropertySelector: selector, DesiredValues: texts }),
};
const assertAwsResourceProperty = v.strictObject({
  action: v.literal('aws:assertAwsResourceProperty'),
  ...resourceProperty,
});
const waitForAwsResourceProperty = v.strictObject({
  action: v.literal('aws:waitForAwsResourceProperty'),
  ...resourceProperty,
});

const comparisons = {
  StringEquals: v.optional(text),
  EqualsIgnoreCase: v.optional(text),
  StartsWith: v.optional(text),
  EndsWith: v.optional(text),
  Contains: v.optional(text),
  NumericEquals: v.optional(integer),
  NumericGreater: v.optional(integer),
  NumericLesser: v.optional(integer),
  NumericGreaterOrEquals: v.optional(integer),
  NumericLesserOrEquals: v.optional(integer),
  BooleanEquals: v.optional(v.union([v.boolean(), wholeReference])),
};

export type Comparison = keyof typeof comparisons;
export const COMPARISONS = Object.keys(comparisons) as Comparison[];

/** One comparison of a Variable, or And, Or, Not over others. */
export type Condition = {
  readonly Variable?: string | undefined;
  readonly And?: readonly Condition[] | undefined;
  readonly Or?: readonly Condition[] | undefined;
  readonly Not?: Condition | undefined;
} & { readonly [operation in Comparison]?: string | number | boolean | undefined };

const saysOneThing = (condition: Condition): boolean => {
  const compared = COMPARISONS.filter((operation) => condition[operation] !== undefined).length;
  const combined = [condition.And, condition.Or, condition.Not].filter((part) => part !== undefined).length;
  return condition.Variable === undefined ? combined === 1 && compared === 0 : combined === 0 && compared === 1;
};
const conditionEntries = {
  Variable: v.optional(text),
  ...comparisons,
  And: v.optional(v.pipe(v.array(v.lazy(() => condition)), v.minLength(1))),
  Or: v.optional(v.pipe(v.array(v.lazy(() => condition)), v.minLength(1))),
  Not: v.optional(v.lazy(() => condition)),
};
const oneThing = 'needs a Variable with one comparison, or one of And, Or, Not';
const condition: v.GenericSchema<Condition> = v.pipe(
  v.strictObject(conditionEntries),
  v.check((input) => saysOneThing(input as Condition), oneThing),
) as v.GenericSchema<Condition>;
const choice = v.pipe(
  v.strictObject({ ...conditionEntries, NextStep: text }),
  v.check((input) => saysOneThing(input as Condition), oneThing),
);

const branch = v.strictObject({
  action: v.literal('aws:branch'),
  ...common,
  inputs: v.strictObject({ Choices: v.pipe(v.array(choice), v.minLength(1)), Default: v.optional(text) }),
});

const sleep = v.strictObject({
  action: v.literal('aws:sleep'),
  ...common,
  inputs: v.pipe(
    v.strictObject({ Duration: v.optional(text), Timestamp: v.optional(text) }),
    v.check(
      (input) => (input.Duration === undefined) !== (input.Timestamp === undefined),
      'needs Duration or Timestamp',
    ),
  ),
});

const updateVariable = v.strictObject({
  action: v.literal('aws:updateVariable'),
  ...common,
  inputs: v.strictObject({ Name: v.pipe(text, v.regex(/^variable:\w+$/, 'is not variable:<name>')), Value: json }),
});

const loop = v.strictObject({
  action: v.literal('aws:loop'),
  ...common,
  /** "The onCancel property isn't supported for the aws:loop action." */
  onCancel: v.optional(v.never('is not supported for aws:loop; give it to the steps in the loop')),
  inputs: v.pipe(
    v.strictObject({
      Iterators: v.optional(v.union([v.array(json), wholeReference])),
      IteratorDataType: v.optional(v.picklist(['Boolean', 'Integer', 'String', 'StringMap'])),
      LoopCondition: v.optional(condition),
      MaxIterations: v.optional(
        v.union([v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), wholeReference]),
      ),
      Steps: v.pipe(v.array(v.looseObject({ name: text, action: text })), v.minLength(1)),
    }),
    v.check(
      (input) => (input.Iterators === undefined) !== (input.LoopCondition === undefined),
      'needs either Iterators or LoopCondition',
    ),
  ),
});

export const automationSteps = {
  'aws:runCommand': runCommand,
  'aws:invokeLambdaFunction': invokeLambdaFunction,
  'aws:executeAwsApi': executeAwsApi,
  'aws:assertAwsResourceProperty': assertAwsResourceProperty,
  'aws:waitForAwsResourceProperty': waitForAwsResourceProperty,
  'aws:branch': branch,
  'aws:sleep': sleep,
  'aws:updateVariable': updateVariable,
  'aws:loop': loop,
} as const;

export const automationDocument = v.strictObject({
  schemaVersion: v.literal('0.3'),
  description: v.optional(text),
  assumeRole: v.optional(text),
  parameters: v.optional(automationParameters),
  variables: v.optional(v.record(text, v.strictObject({ type: v.picklist(OUTPUT_TYPES), default: v.optional(json) }))),
  mainSteps: v.pipe(v.array(v.looseObject({ name: text, action: text })), v.minLength(1)),
  outputs: v.optional(v.array(text)),
});

export type OutputType = (typeof OUTPUT_TYPES)[number];
type RunCommandStep = v.InferOutput<typeof runCommand>;
type InvokeLambdaFunctionStep = v.InferOutput<typeof invokeLambdaFunction>;
type ExecuteAwsApiStep = v.InferOutput<typeof executeAwsApi>;
type AssertAwsResourcePropertyStep = v.InferOutput<typeof assertAwsResourceProperty>;
type WaitForAwsResourcePropertyStep = v.InferOutput<typeof waitForAwsResourceProperty>;
type BranchStep = v.InferOutput<typeof branch>;
type SleepStep = v.InferOutput<typeof sleep>;
type UpdateVariableStep = v.InferOutput<typeof updateVariable>;
export type LoopStep = Omit<v.InferOutput<typeof loop>, 'inputs' | 'onCancel'> & {
  readonly onCancel?: undefined;
  readonly inputs: Omit<v.InferOutput<typeof loop>['inputs'], 'Steps'> & { readonly Steps: readonly AutomationStep[] };
};

export type AutomationStep =
  | RunCommandStep
  | InvokeLambdaFunctionStep
  | ExecuteAwsApiStep
  | AssertAwsResourcePropertyStep
  | WaitForAwsResourcePropertyStep
  | BranchStep
  | SleepStep
  | UpdateVariableStep
  | LoopStep;

export interface AutomationDocument {
  readonly schemaVersion: '0.3';
  readonly description?: string;
  readonly assumeRole?: string;
  readonly parameters?: Readonly<Record<string, ParameterDefinition>>;
  readonly variables?: Readonly<Record<string, { readonly type: OutputType; readonly default?: unknown }>>;
  readonly mainSteps: readonly AutomationStep[];
  readonly outputs?: readonly string[];
}
