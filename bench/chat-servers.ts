/** What the chat is compared with, each as one would write it first: `node chat-servers.mjs ws|socket.io PORT`. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { type WebSocket, WebSocketServer } from 'ws';

const [kind, port] = process.argv.slice(2);
const server = createServer();

if (kind === 'ws') {
  // A bare broadcast loop: whatever comes goes to everybody in the room, as it came.
  const rooms = new Map<string, Set<WebSocket>>();
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket, request) => {
    const name = request.url ?? '';
    const room = rooms.get(name) ?? new Set();
    rooms.set(name, room.add(socket));
    socket.on('message', (data) => {
      for (const member of room) member.send(data, { binary: false });
    });
    socket.on('close', () => room.delete(socket));
  });
} else {
  const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false });
  io.on('connection', (socket) => {
    const room = String(socket.handshake.query.room);
    socket.join(room);
    socket.on('m', (message) => io.to(room).emit('m', message));
  });
}

server.listen(Number(port), '127.0.0.1', 4096, () => console.log('ready'));
