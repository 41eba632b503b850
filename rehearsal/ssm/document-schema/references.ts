/**
 * What a schema cannot see: whether the names that a document uses exist.
 *
 * In a runbook: {{ parameter }}, {{ variable:x }}, {{ step.Output }}, {{ global:… }}, {{ automation:… }}; the steps that
 * nextStep, NextStep, Default, onFailure, onCancel and outputs name; and that its steps cannot go round in circles
 * ("Before processing a runbook, the system verifies that the runbook doesn't create an infinite loop").
 */
import type { JsonValue } from '../json.ts';
import { isObject } from '../json.ts';
import type { AutomationDocument, AutomationStep, LoopStep } from './automation.ts';
import type { CommandDocument } from './command.ts';
import type { DocumentProblem } from './index.ts';

const SYSTEM_VARIABLES = [
  'global:ACCOUNT_ID',
  'global:DATE',
  'global:DATE_TIME',
  'global:AWS_PARTITION',
  'global:REGION',
  'automation:EXECUTION_ID',
] as const;

const ACTION_OUTPUTS: Readonly<Record<string, readonly string[]>> = {
  'aws:runCommand': ['CommandId', 'Status', 'ResponseCode', 'Output'],
  'aws:invokeLambdaFunction': ['StatusCode', 'FunctionError', 'LogResult', 'Payload'],
};

/** "The onCancel property doesn't support moving to the following actions"; of those, the ones that exist here. */
const NOT_ON_CANCEL = ['aws:loop', 'aws:sleep'];

export function commandReferences(document: CommandDocument): DocumentProblem[] {
  const known = Object.keys(document.parameters ?? {});
  return [
    ...duplicates(document.mainSteps, 'mainSteps'),
    ...document.mainSteps.flatMap((step, index) =>
      referencesIn(step as unknown as JsonValue, `mainSteps[${index}]`)
        // A shell script may hold the braces of other templates; only what looks like a parameter is one.
        .filter(({ name }) => /^[A-Za-z0-9_-]+$/.test(name) && !known.includes(name))
        .map(({ name, path }) => ({ path, message: `{{ ${name} }} is not a parameter of the document` })),
    ),
  ];
}

export function automationReferences(document: AutomationDocument): DocumentProblem[] {
  const known = new Set<string>([
    ...SYSTEM_VARIABLES,
    ...Object.keys(document.parameters ?? {}),
    ...Object.keys(document.variables ?? {}).map((name) => `variable:${name}`),
    ...document.mainSteps.flatMap(outputNames),
  ]);
  return [
    ...unknownReferences(document.assumeRole ?? '', 'assumeRole', known),
    ...stepReferences(document.mainSteps, document.mainSteps, 'mainSteps', known),
    ...(document.outputs ?? []).flatMap((name, index) =>
      known.has(name) ? [] : [{ path: `outputs[${index}]`, message: `${name} is no output of a step, nor a variable` }],
    ),
  ];
}

/** `main` are the runbook's own steps, to which the steps of a loop may jump too. */
function stepReferences(
  steps: readonly AutomationStep[],
  main: readonly AutomationStep[],
  path: string,
  known: ReadonlySet<string>,
): DocumentProblem[] {
  const here = new Map(steps.map((step) => [step.name, step]));
  const reachable = new Map([...main, ...steps].map((step) => [step.name, step]));
  const problems = duplicates(steps, path);
  for (const [index, step] of steps.entries()) {
    const at = `${path}[${index}]`;
    for (const [property, name] of nextNames(step))
      if (!here.has(name)) problems.push({ path: `${at}.${property}`, message: `there is no step ${name}` });
    for (const property of ['onFailure', 'onCancel'] as const) {
      const name = step[property]?.match(/^step:(.+)$/)?.[1];
      if (name === undefined) continue;
      const found = reachable.get(name);
      if (!found) problems.push({ path: `${at}.${property}`, message: `there is no step ${name}` });
      if (found && property === 'onCancel' && NOT_ON_CANCEL.includes(found.action))
        problems.push({
          path: `${at}.onCancel`,
          message: `step ${name} is ${found.action}, to which onCancel cannot go`,
        });
    }
    if (step.action === 'aws:updateVariable') {
      if (step.onCancel) problems.push({ path: `${at}.onCancel`, message: 'is not supported for aws:updateVariable' });
      if (!known.has(step.inputs.Name))
        problems.push({ path: `${at}.inputs.Name`, message: `${step.inputs.Name} is not a variable of the document` });
    }
    problems.push(
      ...(step.action === 'aws:loop'
        ? loopReferences(step, main, at, known)
        : unknownReferences(step as unknown as JsonValue, at, known)),
    );
  }
  const circle = findCircle(steps);
  if (circle) problems.push({ path, message: `the steps make an infinite loop: ${circle.join(' -> ')}` });
  return problems;
}

/**
 * The outputs of a loop's steps are known in the loop and in its LoopCondition alone: nothing documented says that they
 * can be seen from outside, where a variable can (aws:updateVariable).
 */
function loopReferences(
  step: LoopStep,
  main: readonly AutomationStep[],
  path: string,
  known: ReadonlySet<string>,
): DocumentProblem[] {
  const { Steps, ...rest } = step.inputs;
  const inside = new Set([
    ...known,
    `${step.name}.CurrentIteration`,
    ...(step.inputs.Iterators === undefined ? [] : [`${step.name}.CurrentIteratorValue`]),
    ...Steps.flatMap(outputNames),
  ]);
  return [
    ...unknownReferences(rest as unknown as JsonValue, `${path}.inputs`, inside),
    ...stepReferences(Steps, main, `${path}.inputs.Steps`, inside),
  ];
}

function outputNames(step: AutomationStep): string[] {
  const declared = 'outputs' in step ? (step.outputs ?? []).map((output) => output.Name) : [];
  return [...(ACTION_OUTPUTS[step.action] ?? []), ...declared].map((name) => `${step.name}.${name}`);
}

/** The steps that may follow a step, each with the property that says so. */
function nextNames(step: AutomationStep): [string, string][] {
  const names: [string, string][] = step.nextStep === undefined ? [] : [['nextStep', step.nextStep]];
  if (step.action === 'aws:branch') {
    for (const [index, { NextStep }] of step.inputs.Choices.entries())
      names.push([`inputs.Choices[${index}]`, NextStep]);
    if (step.inputs.Default !== undefined) names.push(['inputs.Default', step.inputs.Default]);
  }
  return names;
}

/** Also what `ValidNextSteps` of a step execution lists. */
export function successors(steps: readonly AutomationStep[], index: number): string[] {
  const step = steps[index];
  if (!step) return [];
  const following = step.isEnd || step.nextStep !== undefined ? undefined : steps[index + 1]?.name;
  const onFailure = step.onFailure?.match(/^step:(.+)$/)?.[1];
  const names = [...nextNames(step).map(([, name]) => name), following, onFailure];
  return [...new Set(names.filter((name) => name !== undefined))];
}

function findCircle(steps: readonly AutomationStep[]): string[] | undefined {
  const indexOf = new Map(steps.map((step, index) => [step.name, index]));
  const done = new Set<string>();
  const walk = (name: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    const index = indexOf.get(name);
    if (index === undefined || done.has(name)) return undefined;
    for (const next of successors(steps, index)) {
      const circle = walk(next, [...trail, name]);
      if (circle) return circle;
    }
    done.add(name);
    return undefined;
  };
  for (const step of steps) {
    const circle = walk(step.name, []);
    if (circle) return circle;
  }
  return undefined;
}

function duplicates(steps: readonly { readonly name: string }[], path: string): DocumentProblem[] {
  return steps.flatMap(({ name }, index) =>
    steps.findIndex((other) => other.name === name) < index
      ? [{ path: `${path}[${index}].name`, message: `there are two steps ${name}` }]
      : [],
  );
}

function unknownReferences(value: JsonValue, path: string, known: ReadonlySet<string>): DocumentProblem[] {
  return referencesIn(value, path)
    .filter(({ name }) => !known.has(name))
    .map(({ name, path: at }) => ({
      path: at,
      message: `{{ ${name} }} is no parameter, variable or output of a step that can be seen from here`,
    }));
}

function referencesIn(value: JsonValue, path: string): { name: string; path: string }[] {
  if (typeof value === 'string')
    return [...value.matchAll(/\{\{\s*([^{}]+?)\s*\}\}/g)].map((match) => ({ name: match[1] ?? '', path }));
  if (Array.isArray(value)) return value.flatMap((item, index) => referencesIn(item, `${path}[${index}]`));
  if (isObject(value))
    return Object.entries(value).flatMap(([key, item]) =>
      key === 'description' ? [] : referencesIn(item as JsonValue, `${path}.${key}`),
    );
  return [];
}
