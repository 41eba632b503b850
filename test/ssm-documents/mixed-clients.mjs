/**
 * Clients of a receiver, run inside a network namespace: requests of both kinds, and connections that stay open and echo.
 * Reads lines on standard input: `kinds plain,proxy`, `hold plain 10`, `stop`; answers each with one line of JSON.
 */
import net from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const [address, port, echoPort] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const CLAIMED = '203.0.113.9';
const line = (to) => `PROXY TCP4 ${CLAIMED} ${address} 40000 ${to}\r\n`;

const counts = { plain: 0, proxy: 0, failed: 0, failures: {} };
const held = [];
let kinds = [];
let stopped = false;

function request(kind) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: address, port, noDelay: true });
    let answer = '';
    const end = (failure) => {
      socket.destroy();
      counts[kind] += 1;
      if (failure !== undefined) {
        counts.failed += 1;
        counts.failures[failure] = (counts.failures[failure] ?? 0) + 1;
      }
      resolve();
    };
    socket.setTimeout(10_000, () => end(`${kind}: silence`));
    socket.on('error', (error) => end(`${kind}: ${error.code}`));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () =>
      end(
        answer.startsWith('HTTP/1.1 301 ')
          ? undefined
          : `${kind}: ${answer.split('\r\n')[0] || 'closed without an answer'}`,
      ),
    );
    socket.on('connect', async () => {
      const head = `GET /load HTTP/1.1\r\nHost: fleet\r\nConnection: close\r\n\r\n`;
      if (kind === 'plain') return socket.write(head);
      // In two pieces now and then while both kinds are sent, that is, in `both`: nginx alone refuses that.
      const whole = line(port) + head;
      if (kinds.length < 2 || counts.proxy % 10 !== 0) return socket.write(whole);
      socket.write(whole.slice(0, 9));
      await sleep(5);
      socket.write(whole.slice(9));
    });
  });
}

async function hold(kind, number) {
  for (let index = 0; index < number; index += 1) {
    const connection = { kind, open: false, sent: 0, echoed: 0 };
    const socket = net.connect({ host: address, port: echoPort, noDelay: true });
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      if (!connection.open) {
        if (!text.includes('\r\n\r\n')) return;
        connection.open = text.startsWith('HTTP/1.1 101 ');
        text = text.slice(text.indexOf('\r\n\r\n') + 4);
      }
      connection.echoed += text.split('\n').length - 1;
      text = text.slice(text.lastIndexOf('\n') + 1);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      connection.open = false;
    });
    const upgrade = 'GET /ws/ HTTP/1.1\r\nHost: fleet\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    socket.write((kind === 'plain' ? '' : line(echoPort)) + upgrade);
    const timer = setInterval(() => {
      if (!connection.open || stopped) return;
      connection.sent += 1;
      socket.write(`message ${connection.sent}\n`);
    }, 100);
    held.push({ connection, socket, timer });
  }
  await sleep(500);
}

async function client() {
  while (!stopped) {
    if (kinds.length === 0) await sleep(5);
    else await request(kinds[Math.floor(Math.random() * kinds.length)]);
  }
}
const clients = Array.from({ length: 8 }, client);

for await (const command of createInterface({ input: process.stdin })) {
  const [word, ...rest] = command.split(' ');
  if (word === 'kinds') {
    kinds = rest[0] ? rest[0].split(',') : [];
    // Requests of a kind that is no longer sent have ended.
    await sleep(300);
  } else if (word === 'hold') await hold(rest[0], Number(rest[1]));
  else if (word === 'stop') {
    stopped = true;
    await Promise.all(clients);
    await sleep(300);
  }
  console.log(JSON.stringify({ ...counts, held: held.map((each) => each.connection) }));
  if (word === 'stop') process.exit(0);
}
