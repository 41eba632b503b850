import { expect, test } from '@jest/globals';
import { type SocketLike, webSocketTransport } from '../../chat/page/transport.ts';
import type { ClientMessage } from '../../chat/protocol.ts';

const [OPEN, CLOSING, CLOSED] = [1, 2, 3];
const MESSAGE: ClientMessage = { type: 'typing', room: 'lobby', typing: true };

test.each([
  { what: 'is open', readyState: OPEN, sent: 1 },
  // A browser complains of it in the console.
  { what: 'is closing, which the page has not heard yet', readyState: CLOSING, sent: 0 },
  { what: 'is closed', readyState: CLOSED, sent: 0 },
])('a WebSocket that $what is sent $sent messages', ({ readyState, sent }) => {
  const messages: string[] = [];
  const socket = {
    readyState: OPEN as number,
    send: (data: string) => void messages.push(data),
    close: () => {},
  } as SocketLike & { readyState: number };
  const link = webSocketTransport(() => socket).open([], { message() {}, alive() {}, closed() {} });
  socket.onopen?.(undefined as never);

  socket.readyState = readyState;
  link.send(MESSAGE);
  link.close();

  expect(messages.map((each) => JSON.parse(each))).toEqual(Array(sent).fill(MESSAGE));
});
