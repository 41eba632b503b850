/** Runs the rehearsal's command line as a person does, and collects what it said. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DIST } from '../../rehearsal/paths.ts';
import type { RehearsalResult } from '../../rehearsal/report/result.ts';

export interface CliRun {
  readonly status: number | null;
  readonly output: string;
  readonly result: RehearsalResult | undefined;
}

/** @param args  of `dist/rehearsal/cli.mjs`; `--json` is added, and read back */
export async function runCli(...args: string[]): Promise<CliRun> {
  const directory = await mkdtemp(path.join(tmpdir(), 'proxyflip-cli-'));
  const json = path.join(directory, 'result.json');
  const child = spawn(process.execPath, [path.join(DIST, 'rehearsal/cli.mjs'), ...args, '--json', json], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const result = await readFile(json, 'utf8').then(JSON.parse, () => undefined);
  await rm(directory, { recursive: true });
  return { status, output, result };
}
