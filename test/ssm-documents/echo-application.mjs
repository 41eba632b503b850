/** Stands in for the application behind a receiver: takes an upgrade on 9000 and echoes; run in the machine's network namespace. */
import http from 'node:http';

const server = http.createServer((_request, response) => response.end('page\n'));
server.on('upgrade', (_request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  socket.on('error', () => {});
  socket.pipe(socket);
});
server.listen(9000, '127.0.0.1', () => console.log('ready'));
process.stdin.on('end', () => process.exit(0)).resume();
