/**
 * Command documents, schema 2.2, with exactly the plugins that the rehearsal runs.
 *
 * Source: Systems Manager user guide, "Command document plugin reference" and "Data elements and parameters".
 */
import * as v from 'valibot';
import { commandParameters, type ParameterDefinition } from './parameters.ts';

const text = v.string();

/** "Shared inputs" of all plugins. Without them a failed step does not keep the next from running. */
const shared = {
  onFailure: v.optional(v.picklist(['exit', 'successAndExit'])),
  onSuccess: v.optional(v.literal('exit')),
  finallyStep: v.optional(v.boolean()),
};

const step = {
  name: v.pipe(text, v.regex(/^[A-Za-z0-9_-]+$/, 'is not a step name')),
  precondition: v.optional(v.strictObject({ StringEquals: v.tuple([text, text]) })),
};

const runShellScript = v.strictObject({
  action: v.literal('aws:runShellScript'),
  ...step,
  inputs: v.strictObject({
    runCommand: v.union([v.array(text), text]),
    /** Seconds; 3,600 where it is not given. */
    timeoutSeconds: v.optional(v.union([text, v.number()])),
    workingDirectory: v.optional(text),
    ...shared,
  }),
});

const downloadContent = v.strictObject({
  action: v.literal('aws:downloadContent'),
  ...step,
  inputs: v.strictObject({
    sourceType: v.picklist(['S3', 'HTTP', '{{ sourceType }}']),
    sourceInfo: v.union([text, v.strictObject({ path: text }), v.strictObject({ url: text })]),
    destinationPath: v.optional(text),
    ...shared,
  }),
});

export const commandSteps = {
  'aws:runShellScript': runShellScript,
  'aws:downloadContent': downloadContent,
} as const;

export const commandDocument = v.strictObject({
  schemaVersion: v.literal('2.2'),
  description: v.optional(text),
  parameters: v.optional(commandParameters),
  mainSteps: v.pipe(v.array(v.looseObject({ name: text, action: text })), v.minLength(1)),
});

export type CommandStep = v.InferOutput<typeof runShellScript> | v.InferOutput<typeof downloadContent>;

export interface CommandDocument {
  readonly schemaVersion: '2.2';
  readonly description?: string;
  readonly parameters?: Readonly<Record<string, ParameterDefinition>>;
  readonly mainSteps: readonly CommandStep[];
}
