/** `npm run rehearse -- compare`: three runs one after the other, and what the page and the picture say of them. Four minutes. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RehearsalResult } from '../../rehearsal/report/result.ts';
import { type CliRun, runCli } from './run-cli.ts';

let directory: string;
let run: CliRun;
let runs: readonly RehearsalResult[];
let page: string;
let picture: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'proxyflip-compare-'));
  const [html, svg] = ['page.html', 'picture.svg'].map((name) => path.join(directory, name)) as [string, string];
  run = await runCli(
    'compare',
    '--seconds',
    '5',
    '--machines',
    '2',
    '--quiet-seconds',
    '5',
    '--html',
    html,
    '--svg',
    svg,
  );
  ({ runs } = run.result as unknown as { runs: readonly RehearsalResult[] });
  [page, picture] = await Promise.all([readFile(html, 'utf8'), readFile(svg, 'utf8')]);
}, 480_000);
afterAll(() => rm(directory, { recursive: true }));

test('the runbook costs nothing, the other orders do', () => {
  expect(run.output).not.toContain('fell short');
  expect(run.status).toBe(0);
  expect(runs.map(({ order, newConnections }) => [order, newConnections.failed > 0])).toEqual([
    ['runbook', false],
    ['elb-first', true],
    ['nginx-first', true],
  ]);
});

test('page, picture and terminal say the same', () => {
  for (const { newConnections, keepAlive } of runs) {
    const [sent, failed] = [newConnections.sent + keepAlive.sent, newConnections.failed + keepAlive.failed].map(
      (each) => each.toLocaleString('en-US'),
    );
    expect(page).toContain(`<b>${failed}</b> of ${sent} requests failed`);
    expect(picture).toContain(`${failed} of ${sent} requests failed`);
  }
  const row = runs.map(({ newConnections }) => newConnections.sent.toLocaleString('en-US')).join(' +');
  expect(run.output).toMatch(new RegExp(`^new connections +${row}$`, 'm'));
});

test('by hand, too, clients are seen as themselves in the end', () => {
  for (const { phases } of runs) expect(phases.at(-1)?.answers.own).toBeGreaterThan(100);
});
