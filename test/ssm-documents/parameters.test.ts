/** What may be given to the documents: a value that a shell, a template or a person would take for something else is refused before it goes anywhere. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Parameter {
  readonly type: string;
  readonly default?: unknown;
  readonly allowedPattern?: string;
  readonly allowedValues?: readonly string[];
  readonly interpolationType?: string;
}

const DOCUMENTS = readdirSync('ssm-documents').filter((file) => file.endsWith('.yml'));
const parametersOf = (file: string) =>
  Object.entries(
    (
      parse(readFileSync(`ssm-documents/${file}`, 'utf8'), { version: '1.1' }) as {
        parameters: Record<string, Parameter>;
      }
    ).parameters,
  );
const PARAMETERS = DOCUMENTS.flatMap((file) =>
  parametersOf(file).map(([name, parameter]) => [file, name, parameter] as const),
);
const COMMANDS = ['receiver.yml', 'inspect.yml'];

/** What begins a command, ends a word, opens a quote, or is a reference of Systems Manager's. */
const SHELL = [
  '$(id)',
  '`id`',
  ';id',
  '|id',
  '&id',
  '\nid',
  '\n',
  '"',
  "'",
  '\\',
  '>x',
  '<x',
  '*',
  '{{ id }}',
  '{{ssm:x}}',
  '\0',
  '\u202e',
];

const accepts = ({ allowedPattern, allowedValues }: Parameter, value: string): boolean =>
  allowedValues ? allowedValues.includes(value) : new RegExp(allowedPattern ?? '').test(value);

test('there are documents with parameters', () => {
  expect(DOCUMENTS).toEqual(expect.arrayContaining([...COMMANDS, 'switch.yml', 'state.yml', 'drift.yml']));
  expect(PARAMETERS.length).toBeGreaterThan(30);
});

/** A reference to a parameter of Parameter Store, which an association gives: docs/decisions/0007. */
const MEANT = ['receiver.yml Joining: "{{ssm:x}}"'];

describe('every parameter that is text', () => {
  const texts = PARAMETERS.filter(([, , { type }]) => type === 'String');

  test('has a list of values, or a pattern from end to end', () => {
    const open = texts.filter(
      ([, , { allowedPattern, allowedValues }]) => !allowedValues && !/^\^.*\$$/s.test(allowedPattern ?? ''),
    );

    expect(open.map(([file, name]) => `${file} ${name}`)).toEqual([]);
  });

  test('takes its default', () => {
    const wrong = texts.filter(
      ([, , parameter]) => typeof parameter.default === 'string' && !accepts(parameter, parameter.default),
    );

    expect(wrong.map(([file, name]) => `${file} ${name}`)).toEqual([]);
  });

  test('refuses shell, alone, before and behind its default', () => {
    const taken = texts.flatMap(([file, name, parameter]) =>
      SHELL.flatMap((shell) => [shell, `${parameter.default ?? ''}${shell}`, `${shell}${parameter.default ?? ''}`])
        .filter((value) => accepts(parameter, value))
        .map((value) => `${file} ${name}: ${JSON.stringify(value)}`),
    );

    expect(taken).toEqual(MEANT);
  });
});

describe('a Command document', () => {
  test.each(COMMANDS)('%s hands its values over as variables, all but Joining, which is a reference', (file) => {
    const spliced = parametersOf(file).filter(([, { interpolationType }]) => interpolationType !== 'ENV_VAR');

    expect(spliced.map(([name]) => name)).toEqual(file === 'receiver.yml' ? ['Joining'] : []);
  });

  test.each(COMMANDS)('%s has no parameter in its text but Joining', (file) => {
    const { mainSteps } = parse(readFileSync(`ssm-documents/${file}`, 'utf8')) as { mainSteps: unknown };
    const scripts = readdirSync('ssm-documents/scripts').map((script) =>
      readFileSync(`ssm-documents/scripts/${script}`, 'utf8'),
    );
    const references = [...`${JSON.stringify(mainSteps)}${scripts.join('')}`.matchAll(/\{\{ *(\w+) *\}\}/g)].map(
      ([, name]) => name,
    );

    expect(new Set(references)).toEqual(new Set(['Joining']));
  });
});
