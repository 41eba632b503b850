/** Tables of the reference against what they describe. A source in which nothing is found fails, too. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { parseOptions, USAGE } from '../../rehearsal/scenarios/options.ts';
import { readTemplate } from '../cloudformation/template.ts';
import { bare, pages, ROOT, readPage, tableOf } from './markdown.ts';

const REFERENCE = readPage('docs/reference.md');

interface Parameter {
  readonly default?: unknown;
  readonly values?: readonly string[];
}

/** `–`: no such parameter; *needed*: no default; *empty*: an empty one. */
function written(parameter: Parameter | undefined): string {
  if (parameter === undefined) return '–';
  if (parameter.default === undefined) return '*needed*';
  return parameter.default === '' ? '*empty*' : `\`${parameter.default}\``;
}

function documentParameters(file: string): Map<string, Parameter> {
  const { parameters } = parse(readFileSync(path.join(ROOT, file), 'utf8')) as {
    parameters: Record<string, { default?: unknown; allowedValues?: string[] }>;
  };
  return new Map(
    Object.entries(parameters).map(([name, { default: fallback, allowedValues }]) => [
      name,
      {
        ...(fallback === undefined ? {} : { default: fallback }),
        ...(allowedValues === undefined ? {} : { values: allowedValues.filter((value) => value !== '') }),
      },
    ]),
  );
}

function stackParameters(): Map<string, Parameter> {
  return new Map(
    Object.entries(readTemplate().Parameters).map(([name, parameter]) => {
      const { Default, AllowedValues } = parameter as { Default?: unknown; AllowedValues?: unknown[] };
      const isShort = AllowedValues?.every((value) => typeof value === 'string');
      return [
        name,
        {
          ...(Default === undefined ? {} : { default: Default }),
          ...(isShort ? { values: AllowedValues.map(String) } : {}),
        },
      ];
    }),
  );
}

describe('Parameters of the stack and of the runbook', () => {
  const rows = tableOf(REFERENCE, 'Parameters of the stack and of the runbook');
  const stack = stackParameters();
  const runbook = documentParameters('ssm-documents/switch.yml');

  test('are all there, and no other', () => {
    expect(stack.size).toBeGreaterThan(20);
    expect(runbook.size).toBeGreaterThan(15);
    expect(rows.map(([name = '']) => bare(name)).sort()).toEqual(
      [...new Set([...stack.keys(), ...runbook.keys()])].sort(),
    );
  });

  test('have the defaults that the sources have', () => {
    const wanted = rows.map(([name = '']) => [name, written(stack.get(bare(name))), written(runbook.get(bare(name)))]);
    expect(rows.map(([name, , ofStack, ofRunbook]) => [name, ofStack, ofRunbook])).toEqual(wanted);
  });

  test('have the values that the sources allow, where those are a list', () => {
    const lists = rows.flatMap(([name = '', values = '']) => {
      const allowed = stack.get(bare(name))?.values ?? runbook.get(bare(name))?.values;
      return allowed === undefined ? [] : [{ name, values: values.split(', ').sort(), allowed: [...allowed].sort() }];
    });
    expect(lists.length).toBeGreaterThan(5);
    expect(lists.map(({ name, values }) => [name, values])).toEqual(lists.map(({ name, allowed }) => [name, allowed]));
  });
});

test('the walk through the console has a row for every field that the runbook shows', () => {
  const fields = tableOf(readPage('docs/console.md'), 'Plan').flatMap(([names = '']) => names.split(', '));
  const runbook = documentParameters('ssm-documents/switch.yml');

  expect(fields.filter((field) => runbook.has(field)).sort()).toEqual([...runbook.keys()].sort());
});

describe('Parameters of the Command document', () => {
  const rows = tableOf(REFERENCE, 'Parameters of the Command document');
  const receiver = documentParameters('ssm-documents/receiver.yml');

  test('are all there in their order, with the defaults that the document has', () => {
    expect(receiver.size).toBeGreaterThan(5);
    expect(rows.map(([name = '', , fallback]) => [bare(name), fallback])).toEqual(
      [...receiver].map(([name, parameter]) => [name, written(parameter)]),
    );
  });

  test('have the values that the document allows, where those are a list', () => {
    const lists = rows.filter(([name = '']) => receiver.get(bare(name))?.values !== undefined);
    expect(lists.length).toBeGreaterThan(3);
    expect(lists.map(([name, values = '']) => [name, values.split(', ')])).toEqual(
      lists.map(([name = '']) => [name, receiver.get(bare(name))?.values]),
    );
  });
});

describe('Options of the rehearsal', () => {
  const rows = tableOf(REFERENCE, 'Options of the rehearsal');
  const known = [...USAGE.matchAll(/^ {2}--([a-z-]+)/gm)].map((match) => match[1] ?? '');

  test('are those that --help tells of', () => {
    expect(known.length).toBeGreaterThan(10);
    expect(rows.map(([name = '']) => bare(name).slice(2)).sort()).toEqual([...known].sort());
  });

  test('have the defaults that hold without them', () => {
    const defaults = parseOptions([]) as unknown as Record<string, unknown>;
    const asWritten = (value: unknown): string => {
      if (value === undefined) return '*none*';
      if (value === false) return 'off';
      return `\`${Array.isArray(value) ? value.join('..') : value}\``;
    };
    const camelCase = (name: string) => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    expect(rows.map(([name, , fallback]) => [name, fallback])).toEqual(
      rows.map(([name = '']) => [name, asWritten(defaults[camelCase(bare(name).slice(2))])]),
    );
  });
});

describe('Error codes', () => {
  const CODE = /\bERR_[A-Z]+(?:_[A-Z]+)*\b/g;
  const { stdout } = spawnSync(
    'git',
    [
      'ls-files',
      '--cached',
      '--others',
      '--exclude-standard',
      'functions',
      'ssm-documents',
      'chat',
      'container',
      'deploy',
      'rehearsal',
    ],
    { cwd: ROOT, encoding: 'utf8' },
  );
  const sources = stdout.split('\n').filter((file) => /\.(ts|sh|yml)$/.test(file));
  const used = new Set(sources.flatMap((file) => readPage(file).match(CODE) ?? []));
  const titles = [
    'Before anything was changed',
    'On the way',
    'On an instance',
    'The container',
    'The chat service',
    'Packaging and deployment',
    'The rehearsal',
  ];
  const rows = titles.flatMap((title) => tableOf(REFERENCE, title));

  test('stand in the reference, each once, and no other', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(used.size).toBeGreaterThan(30);
    expect(rows.map(([code = '']) => bare(code)).sort()).toEqual([...used].sort());
  });

  test('have a meaning and a way out', () => {
    expect(rows.filter(([, meaning = '', wayOut = '']) => meaning === '' || wayOut === '')).toEqual([]);
  });

  test('that a page names exist', () => {
    const named = pages().flatMap((page) => (readPage(page).match(CODE) ?? []).map((code) => ({ page, code })));
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(({ code }) => !used.has(code))).toEqual([]);
  });
});

test('the README is short enough to be read: at most 250 lines', () => {
  expect(readPage('README.md').split('\n').length).toBeLessThanOrEqual(251);
});
