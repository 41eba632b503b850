// One TCP connection, spoken by hand: `node raw-client.mjs HOST PORT '["PROXY …\r\n", 300, "GET / …"]'`. Numbers are pauses in milliseconds.
// Prints {"received": …, "ended": "closed" | "reset" | "refused" | "open"}; it waits for the other side's end, five seconds at most.
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const [host, port, parts] = process.argv.slice(2);
let received = '';
const socket = net.connect({ host, port: Number(port) });
const ended = new Promise((resolve) => {
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', ({ code }) => resolve(code === 'ECONNREFUSED' ? 'refused' : 'reset'));
  socket.on('close', () => resolve('closed'));
});
for (const part of JSON.parse(parts)) {
  if (typeof part === 'number') await sleep(part);
  else socket.write(part);
}
const how = await Promise.race([ended, sleep(5000, 'open')]);
console.log(JSON.stringify({ received, ended: how }));
process.exit(0);
