import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

test('nginx and HAProxy of each machine image take what the receiver writes, in every mode', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/check-receivers.mjs'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  for (const mode of ['plain', 'both', 'proxy'])
    expect(stdout).toMatch(new RegExp(`^bookworm-baked-\\w+ ${mode}: nginx and HAProxy take it$`, 'm'));
}, 120_000);
