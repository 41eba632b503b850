/**
 * An instance without a machine: run in a network namespace by data-plane.rehearsal.test.ts.
 *
 * Each connection to port 80 or 81 is answered with how it began (`plain` or the PROXY line), then echoes; to port 83 too, over TLS.
 * Ports 82 (HTTP) and 84 (HTTPS) answer with the request's headers. Port 8078 is the health port. Standard input sets it: `healthy`, `unhealthy`. Standard output says what health checks began with.
 */
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { createServer as createTlsServer } from 'node:tls';

let isHealthy = process.argv[3] !== 'unhealthy';
const name = process.argv[2];

const secure = { cert: process.env.CERTIFICATE, key: process.env.PRIVATE_KEY };

function sayHowItBegan(socket) {
  let kind;
  const lines = createInterface({ input: socket });
  lines.on('error', () => {}); // readline hands on its input's: a health check that ends with a reset
  lines.on('line', (line) => {
    if (kind === undefined && line.startsWith('PROXY ')) {
      kind = line;
      return;
    }
    kind ??= `plain from ${socket.remoteAddress.replace('::ffff:', '')}`;
    socket.write(`${name} ${kind} ${line}\n`);
  });
  socket.on('error', () => {});
}

createServer(sayHowItBegan).listen(80);
createServer(sayHowItBegan).listen(81);
createTlsServer(secure, sayHowItBegan).listen(83);

const sayHeaders = (request, response) => response.end(JSON.stringify(request.headers));
createHttpServer(sayHeaders).listen(82);
createHttpsServer(secure, sayHeaders).listen(84);

createServer((socket) => {
  socket.once('data', (data) => {
    process.stdout.write(`${JSON.stringify(data.toString().split('\r\n')[0])}\n`);
    socket.end(`HTTP/1.1 ${isHealthy ? '200 OK' : '503 No'}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  });
  socket.on('error', () => {});
}).listen(8078, () => process.stdout.write('"ready"\n'));

createInterface({ input: process.stdin }).on('line', (line) => {
  isHealthy = line === 'healthy';
});
