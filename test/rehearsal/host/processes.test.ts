import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { processesBelow } from '../../../rehearsal/host/processes.ts';

test('a process below another is found, with what it holds', async () => {
  const script = `
    const held = Buffer.alloc(64 * 1024 * 1024, 1);
    for (let file = 0; file < 50; file += 1) require('node:fs').openSync('/dev/null');
    console.log('ready');
    setInterval(() => held, 1e9);`;
  const child = spawn('sh', ['-c', '"$0" -e "$1" & wait', process.execPath, script], { detached: true });
  try {
    await once(child.stdout, 'data');

    const found = processesBelow(process.pid);

    expect(found.map(({ pid }) => pid)).toEqual(expect.arrayContaining([process.pid, child.pid]));
    const holder = found.find(({ command }) => command.includes('Buffer.alloc') && !command.startsWith('sh '));
    expect(holder?.residentBytes).toBeGreaterThan(64 * 1024 * 1024);
    expect(holder?.fileDescriptors).toBeGreaterThanOrEqual(53);
  } finally {
    process.kill(-(child.pid as number), 'SIGKILL');
  }
});
