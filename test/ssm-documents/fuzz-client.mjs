/**
 * Opens connections by hand, as many at once as it is told; run in the clients' network namespace.
 *
 * Reads one JSON object a line: `{"host", "port", "atOnce", "connections": [["text" | pause in ms, …], …]}` opens each, writes its parts, waits
 * for the other side's end and answers `{"answered": n, "closed": n, "left": n}`; `{"host", "port", "halfOpen": n, "text"}` opens so many, writes
 * the text and keeps them until `{"closeAll": true}`; `{"host", "port", "parts"}` is one connection, and answers `{"received"}`.
 */
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long the other side may take to end a connection. Those that it rightly waits for, for more bytes, are left after that. */
const WAIT_MS = 4000;
const WAIT_FOR_MORE_MS = 300;

const held = [];

async function exchange(host, port, parts) {
  const socket = net.connect({ host, port, noDelay: true });
  let received = '';
  socket.setEncoding('latin1').on('data', (text) => {
    received += text;
  });
  socket.on('error', () => {});
  // Not `once` of node:events, which takes an error for its own.
  const closed = new Promise((resolve) => socket.once('close', () => resolve('closed')));
  for (const part of parts) {
    if (typeof part === 'number') await Promise.race([sleep(part), closed]);
    else if (!socket.destroyed) socket.write(part, 'latin1');
  }
  const asks = parts.some((part) => typeof part === 'string' && part.includes('HTTP/1.1'));
  const how = await Promise.race([closed, sleep(asks ? WAIT_MS : WAIT_FOR_MORE_MS, 'left')]);
  socket.destroy();
  return { received, how: received.startsWith('HTTP/1.1 200') ? 'answered' : how };
}

async function exchangeAll({ host, port, atOnce, connections }) {
  const counts = { answered: 0, closed: 0, left: 0 };
  let next = 0;
  const worker = async () => {
    while (next < connections.length) {
      const parts = connections[next];
      next += 1;
      counts[(await exchange(host, port, parts)).how] += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return counts;
}

async function holdHalfOpen({ host, port, halfOpen, text }) {
  let failed = 0;
  for (let opened = 0; opened < halfOpen; opened += 250) {
    await Promise.all(
      Array.from({ length: Math.min(250, halfOpen - opened) }, async () => {
        const socket = net.connect({ host, port });
        socket.on('error', () => {}).resume();
        const isOpen = await Promise.race([once(socket, 'connect').then(() => true), sleep(10_000, false)]).catch(
          () => false,
        );
        if (!isOpen) failed += 1;
        else if (text !== '') socket.write(text, 'latin1');
        held.push(socket);
      }),
    );
  }
  return { opened: halfOpen - failed, failed };
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  let answer;
  if (order.closeAll)
    answer = { open: held.splice(0).filter((socket) => !socket.destroyed && socket.destroy()).length };
  else if (order.parts) answer = await exchange(order.host, order.port, order.parts);
  else answer = order.connections ? await exchangeAll(order) : await holdHalfOpen(order);
  console.log(JSON.stringify(answer));
}
process.exit(0);
