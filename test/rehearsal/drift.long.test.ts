/** Every kind of drift that the check knows, and that the rehearsal can make. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { KINDS } from '../../functions/drift-check/kinds.ts';
import { ROOT } from '../../rehearsal/paths.ts';
import { runCli } from './run-cli.ts';

/** Not made by hand: it is what remediation comes to at the end of the run. */
const COMES_BY_ITSELF = ['fought-over', 'policy-unexpected'];

test('every kind has a way in which it is made', () => {
  const source = readFileSync(path.join(ROOT, 'rehearsal/scenarios/drift/ways.ts'), 'utf8');
  const made = [...source.matchAll(/^ {6}kind: '([\w-]+)',$/gm)].map(([, kind]) => kind);
  expect([...made, ...COMES_BY_ITSELF].sort()).toEqual(Object.keys(KINDS).sort());
});

test('every kind is found, named and mended, by the command that is printed and by remediation', async () => {
  const { status, output } = await runCli(
    'drift',
    '--machines=2',
    '--policy-delay-ms=100..800',
    '--quiet-seconds=2',
    '--seconds=2',
  );
  if (status !== 0) throw new Error(output.slice(-20_000));
}, 2_400_000);
