import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { ask } from '../../../rehearsal/nodes/haproxy-master.ts';

test('a master that is being replaced is asked again, and one that does not come back is an error', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'proxyflip-master-'));
  const socketPath = path.join(directory, 'master.sock');
  const commands: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (data) => {
      commands.push(String(data));
      socket.end('answer\n');
    });
  });
  try {
    const asked = ask(socketPath, 'show proc', 7);
    await sleep(300);
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));

    expect(await asked).toBe('answer\n');
    expect(commands).toEqual(['@!7 show proc\n']);
    await new Promise((resolve) => server.close(resolve));
    await expect(ask(socketPath, 'show proc')).rejects.toMatchObject({ code: 'ENOENT' });
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('a master that goes away while it is asked is asked again', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'proxyflip-master-'));
  const socketPath = path.join(directory, 'master.sock');
  let connections = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections += 1;
    socket.on('error', () => {});
    // With the command unread: the one who asks gets ECONNRESET or EPIPE.
    if (connections === 1) socket.destroy();
    else socket.on('end', () => socket.end('answer\n')).resume();
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  try {
    // Larger than the socket's buffer, so that the end comes in the middle of it.
    expect(await ask(socketPath, `show proc ${'x'.repeat(1_000_000)}`)).toBe('answer\n');
    expect(connections).toBe(2);
  } finally {
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  }
});
