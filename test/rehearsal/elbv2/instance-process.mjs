/**
 * An instance without a machine: run in a network namespace by data-plane.rehearsal.test.ts.
 *
 * Port 80 answers every request with what came: instance, peer, method, path, raw headers; `/slow` after a second. An upgrade is
 * taken, and what comes on it is echoed. Port 8078 is the health port. Standard input sets it: `healthy`, `unhealthy`.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

/** RFC 6455, 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

let isHealthy = process.argv[3] !== 'unhealthy';
const name = process.argv[2];

function describe(request) {
  const headers = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    headers.push([request.rawHeaders[index].toLowerCase(), request.rawHeaders[index + 1]]);
  }
  const peer = request.socket.remoteAddress.replace('::ffff:', '');
  return { instance: name, peer, peerPort: request.socket.remotePort, path: request.url, headers };
}

createServer((request, response) => {
  const answer = () => response.end(JSON.stringify(describe(request)));
  if (request.url === '/slow') setTimeout(answer, 1000);
  else answer();
})
  .on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.write(`${JSON.stringify(describe(request))}\n`);
    socket.on('data', (data) => socket.write(data));
    // Node.js leaves an upgraded socket open at its end.
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
  })
  .listen(80);

createServer((_request, response) => {
  response.statusCode = isHealthy ? 200 : 503;
  response.end();
}).listen(8078, () => process.stdout.write('"ready"\n'));

createInterface({ input: process.stdin }).on('line', (line) => {
  isHealthy = line === 'healthy';
});
