/**
 * A client on the internet: run in a network namespace by data-plane.rehearsal.test.ts, driven by JSON lines.
 *
 *   {id, open: [address, port, tls]}   connects, says hello; answers {id, line} or {id, error}
 *   {id, say: connection}              says something on the connection that the `open` with this id made
 *   {id, burst: [address, port, ms]}   a new connection after the other for that long; answers counts by how each began
 * Unasked: {closed: connection, at}.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';

const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const connections = new Map();
const certificate = process.env.CERTIFICATE;

function open(address, port, tls) {
  return tls
    ? connectTls({ host: address, port, ca: certificate, servername: 'web-1.eu-central-1.elb.amazonaws.com' })
    : connect(port, address);
}

function exchange(socket) {
  return new Promise((resolve) => {
    let text = '';
    const onData = (data) => {
      text += data;
      if (!text.includes('\n')) return;
      socket.off('data', onData);
      resolve({ line: text.trim() });
    };
    socket.on('data', onData);
    socket.once('error', (error) => resolve({ error: error.code }));
    socket.once('close', () => resolve({ error: 'closed' }));
    socket.write('hello\n');
  });
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, open: target, say, burst } = JSON.parse(line);
  if (target !== undefined) {
    const socket = open(...target);
    connections.set(id, socket);
    const answer = await exchange(socket);
    socket.once('close', () => tell({ closed: id, at: Date.now() }));
    tell({ id, ...answer });
  } else if (say !== undefined) {
    tell({ id, ...(await exchange(connections.get(say))) });
  } else if (burst !== undefined) {
    const [address, port, ms] = burst;
    const counts = {};
    for (const end = Date.now() + ms; Date.now() < end; ) {
      const socket = connect(port, address);
      const answer = await exchange(socket);
      socket.destroy();
      const key = answer.error ?? (answer.line.includes(' PROXY ') ? 'proxy' : 'plain');
      counts[key] = (counts[key] ?? 0) + 1;
    }
    tell({ id, counts });
  }
});
tell({ ready: true });
