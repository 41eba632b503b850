/** The core of `npm run rehearse -- faults`: what is done twice, answers that are lost, and functions killed behind each of their writes. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import type { Case } from '../../rehearsal/faults/case.ts';
import { runCli } from './run-cli.ts';

test('each fault was there, the fleet served, and the work was ended', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'proxyflip-faults-'));
  const markdown = path.join(directory, 'faults.md');

  const { status, output, result } = await runCli('faults', '--only=core', `--markdown=${markdown}`);

  if (result === undefined) throw new Error(output);
  const { cases } = result as unknown as { readonly cases: readonly Case[] };
  expect(cases.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
  // Both directions; a killed function ends its run wherever it wrote something, and the next one ends the work.
  expect(new Set(cases.map(({ direction }) => direction))).toEqual(new Set(['enable', 'disable']));
  const killed = cases.filter(({ fault }) => fault === 'function killed after');
  expect(killed.length).toBeGreaterThan(10);
  expect(killed.map(({ next }) => next)).toEqual(killed.map(() => 'Success'));
  expect(cases.length).toBeGreaterThan(300);
  const page = await readFile(markdown, 'utf8');
  expect(page).toContain(`| all | | | ${cases.length} |`);
  expect(status).toBe(0);
  await rm(directory, { recursive: true });
}, 400_000);
