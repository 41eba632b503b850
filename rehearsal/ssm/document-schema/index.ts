/**
 * Read a document and say what is wrong with it, by name. The emulated API refuses with this what it cannot run
 * (`InvalidDocumentContent`), and the tests hold the shipped documents to it.
 */
import * as v from 'valibot';
import { parse as parseYaml } from 'yaml';
import { type AutomationDocument, automationDocument, automationSteps } from './automation.ts';
import { type CommandDocument, commandDocument, commandSteps } from './command.ts';
import { automationReferences, commandReferences } from './references.ts';

export type { AutomationDocument } from './automation.ts';
export type { CommandDocument, CommandStep } from './command.ts';
export type { ParameterDefinition } from './parameters.ts';

/** "The maximum size of a document is 64 KB." */
export const MAX_DOCUMENT_BYTES = 64 * 1024;

export interface DocumentProblem {
  /** Where: `mainSteps[2].inputs.Duration`. */
  readonly path: string;
  readonly message: string;
}

export type DocumentReading<Document> =
  | { readonly document: Document; readonly problems: readonly [] }
  | { readonly document?: undefined; readonly problems: readonly DocumentProblem[] };

/**
 * YAML is read as version 1.1, as Systems Manager does, in which `On`, `yes` and `off` are booleans where they are not
 * quoted, and `2.2` a number.
 *
 * @returns undefined if the text is not in the format
 */
export function parseContent(content: string, format: 'JSON' | 'YAML'): unknown {
  try {
    return format === 'JSON' ? JSON.parse(content) : parseYaml(content, { version: '1.1' });
  } catch {
    return undefined;
  }
}

export function readCommandDocument(content: unknown): DocumentReading<CommandDocument> {
  const problems = schemaProblems(commandDocument, content, 'mainSteps', commandSteps);
  if (problems.length > 0) return { problems };
  const document = content as CommandDocument;
  const unknown = commandReferences(document);
  return unknown.length > 0 ? { problems: unknown } : { document, problems: [] };
}

export function readAutomationDocument(content: unknown): DocumentReading<AutomationDocument> {
  const problems = schemaProblems(automationDocument, content, 'mainSteps', automationSteps);
  if (problems.length > 0) return { problems };
  const document = content as AutomationDocument;
  const unknown = automationReferences(document);
  return unknown.length > 0 ? { problems: unknown } : { document, problems: [] };
}

type StepSchemas = Readonly<Record<string, v.GenericSchema>>;

function schemaProblems(
  schema: v.GenericSchema,
  content: unknown,
  stepsKey: string,
  stepSchemas: StepSchemas,
): DocumentProblem[] {
  const result = v.safeParse(schema, content);
  const steps = (content as { mainSteps?: unknown } | null)?.mainSteps;
  return [
    ...(result.success ? [] : result.issues.map((issue) => toProblem(issue, ''))),
    ...stepProblems(steps, stepsKey, stepSchemas),
  ];
}

function stepProblems(steps: unknown, path: string, stepSchemas: StepSchemas): DocumentProblem[] {
  if (!Array.isArray(steps)) return [];
  return steps.flatMap((step: { action?: unknown; inputs?: { Steps?: unknown } } | null, index) => {
    const at = `${path}[${index}]`;
    const action = step?.action;
    if (typeof action !== 'string') return [];
    const schema = Object.hasOwn(stepSchemas, action) ? stepSchemas[action] : undefined;
    if (!schema) {
      const supported = Object.keys(stepSchemas).join(', ');
      return [{ path: `${at}.action`, message: `${action} is not supported by the rehearsal, which has ${supported}` }];
    }
    const result = v.safeParse(schema, step);
    return [
      ...(result.success ? [] : result.issues.map((issue) => toProblem(issue, at))),
      ...(action === 'aws:loop' ? stepProblems(step?.inputs?.Steps, `${at}.inputs.Steps`, stepSchemas) : []),
    ];
  });
}

function toProblem(issue: v.BaseIssue<unknown>, prefix: string): DocumentProblem {
  const path = (issue.path ?? []).reduce(
    (text, { key }) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${key}`),
    prefix,
  );
  const message =
    issue.type === 'strict_object' && issue.expected === 'never'
      ? 'is not a property that is known here'
      : issue.type.endsWith('_object') && issue.received === 'undefined'
        ? 'is missing'
        : issue.message;
  return { path, message };
}

export const describeProblems = (problems: readonly DocumentProblem[]): string =>
  problems.map(({ path, message }) => `${path === '' ? 'document' : path}: ${message}`).join('; ');
