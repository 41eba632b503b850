/**
 * Runs as a process of its own in a machine's network namespace: the page's own clients talk, and requests ask `/whoami` over new
 * connections, until a line comes on standard input; then it prints what became of them as one line of JSON.
 */
import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { RecordingClient } from './recording-client.ts';

const CLIENTS = 20;
const instance = { httpPort: 8000, webSocketPort: 9000 };
const clients = Array.from({ length: CLIENTS }, (_, n) => {
  const recording = new RecordingClient({ instance: () => instance });
  recording.client.join(`room-${n % 4}`, `Person ${n}`);
  recording.client.start();
  return recording;
});
const sent = new Map<string, string[]>();
const requests = { sent: 0, failed: [] as string[] };
let isOn = true;

const talk = async () => {
  for (let n = 0; isOn; n += 1) {
    const index = n % CLIENTS;
    const room = `room-${index % 4}`;
    const id = clients[index]?.client.send(room, `${n}`) ?? '';
    sent.set(room, [...(sent.get(room) ?? []), id]);
    await sleep(10);
  }
};

const ask = async () => {
  while (isOn) {
    requests.sent += 1;
    const asked = request({
      port: instance.httpPort,
      host: '127.0.0.1',
      path: '/whoami',
      agent: false,
      timeout: 15_000,
    });
    asked.on('timeout', () => asked.destroy(new Error('timeout')));
    asked.on('response', (response) => {
      if (response.statusCode !== 200) requests.failed.push(String(response.statusCode));
      response.resume();
    });
    asked.on('error', (error: NodeJS.ErrnoException) => requests.failed.push(error.code ?? error.message));
    asked.end();
    await sleep(20);
  }
};

const running = Promise.all([talk(), ask()]);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
isOn = false;
await running;
const isDone = () => clients.every(({ messages }, n) => messages.length >= (sent.get(`room-${n % 4}`)?.length ?? 0));
for (const deadline = Date.now() + 15_000; !isDone() && Date.now() < deadline; ) await sleep(100);

let [lost, doubled, outOfOrder] = [0, 0, 0];
clients.forEach(({ messages }, n) => {
  const ids = new Set(messages.map(({ id }) => id));
  lost += (sent.get(`room-${n % 4}`) ?? []).filter((id) => !ids.has(id)).length;
  doubled += messages.length - ids.size;
  outOfOrder += messages.filter(
    ({ offset }, index) => index > 0 && offset <= (messages[index - 1]?.offset ?? 0),
  ).length;
});
process.stdout.write(
  `${JSON.stringify({
    messagesSent: [...sent.values()].flat().length,
    lost,
    doubled,
    outOfOrder,
    historyLost: clients.reduce((sum, each) => sum + each.lost, 0),
    reconnects: clients.reduce((sum, each) => sum + each.states.filter((state) => state === 'open').length - 1, 0),
    requestsSent: requests.sent,
    requestsFailed: requests.failed,
  })}\n`,
);
process.exit(0);
