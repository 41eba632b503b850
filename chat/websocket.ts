import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Admission, refusalBody, STATUS } from './admission.ts';
import type { Frame } from './frame.ts';
import type { Hub } from './hub.ts';
import type { AddressLimits } from './limits.ts';
import { RefusedError } from './parse.ts';
import { type Peer, Session } from './session.ts';

/** Below this, a client is taken to keep up, and the next page of history is sent. */
const DRAINED_BYTES = 65_536;

/**
 * One open WebSocket.
 *
 * What goes to many is framed once and written to the TCP socket itself. `ws` would frame it for each of them, in two pieces:
 * measured, a fifth of the fan-out. It is safe because `ws` too writes each of its own frames (pings, close) whole and at once, as long as
 * nothing is compressed.
 */
class WebSocketPeer implements Peer {
  readonly transport = 'websocket';
  /** Heartbeats in a row that nothing came after. */
  silentHeartbeats = 0;
  why = 'client';
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #maxBufferedBytes: number;

  constructor(webSocket: WebSocket, socket: Duplex, maxBufferedBytes: number) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  send(frame: Frame): void {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    // What a client does not read waits in this process's memory: it is cut off, and gets it all again when it comes back.
    if (this.#socket.writableLength > this.#maxBufferedBytes) {
      this.why = 'slow';
      this.#webSocket.terminate();
      return;
    }
    this.#socket.write(frame.bytes);
  }

  async drained(): Promise<void> {
    while (this.#webSocket.readyState === this.#webSocket.OPEN && this.#socket.writableLength > DRAINED_BYTES) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason);
  }

  terminate(): void {
    this.#webSocket.terminate();
  }

  /** @returns false when it was silent for two heartbeats, and is gone */
  beat(): boolean {
    if (this.silentHeartbeats >= 2) {
      this.why = 'silent';
      this.#webSocket.terminate();
      return false;
    }
    this.silentHeartbeats += 1;
    this.#webSocket.ping();
    return true;
  }
}

/** The WebSocket server: `server` listens, `heartbeat` is to be called every CHAT_HEARTBEAT_SECONDS. */
export function createWebSocketServer(
  hub: Hub,
  admission: Admission,
  limits: AddressLimits,
): { readonly server: Server; heartbeat(): void } {
  const peers = new Set<WebSocketPeer>();
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Each compressing connection keeps some 300 KB, and the texts are short.
    perMessageDeflate: false,
    // A character of text may take six bytes as a JSON escape.
    maxPayload: 6 * hub.config.messageBytes + 1024,
  });
  const server = createServer({ keepAliveTimeout: 75_000 }, (_request, response) => {
    response.writeHead(426, { Connection: 'Upgrade', Upgrade: 'websocket', 'Content-Type': 'text/plain' });
    response.end('This port speaks WebSocket alone.\n');
  });

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', destroy);
    try {
      if (!/^\/ws\/?(\?|$)/.test(request.url ?? '')) return answer(socket, 404, '');
      const { client, release } = admission.admit(request);
      // `close` comes for every end, also when the handshake fails.
      socket.once('close', release);
      webSockets.handleUpgrade(request, socket, head, (webSocket) => accept(webSocket, socket, request, client));
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      hub.metrics.refused.inc({ code: error.code });
      hub.log.info({ code: error.code, ...describe(request) }, 'connection refused');
      answer(socket, STATUS[error.code], refusalBody(error));
    }
  });

  function accept(webSocket: WebSocket, socket: Duplex, request: IncomingMessage, client: Session['client']): void {
    const { transport, peer } = {
      transport: 'websocket',
      peer: new WebSocketPeer(webSocket, socket, hub.config.bufferedBytes),
    };
    const session = new Session(hub, limits, client, peer);
    peers.add(peer);
    hub.metrics.connections.inc({ transport });
    hub.metrics.opened.inc({ transport, trusted: String(client.trusted) });
    hub.log.debug({ ...client, ...describe(request) }, 'connection opened');

    webSocket.on('pong', () => {
      peer.silentHeartbeats = 0;
    });
    webSocket.on('message', (data, isBinary) => {
      peer.silentHeartbeats = 0;
      if (isBinary) session.refuse(new RefusedError('bad-message', 'Frames must be text.'));
      else session.receive(data.toString());
    });
    // Frames that break the protocol or the size limit: ws closes with the code that fits (1002, 1007, 1009).
    webSocket.on('error', (error) => hub.log.info({ ...client, err: error.message }, 'bad frame'));
    webSocket.on('close', (code) => {
      session.end();
      peers.delete(peer);
      const why = admission.isDraining ? 'drain' : peer.why;
      hub.metrics.connections.dec({ transport });
      hub.metrics.closed.inc({ transport, why });
      hub.log.debug({ ...client, code, why }, 'connection closed');
    });
  }

  return {
    server,
    heartbeat: () => {
      for (const peer of peers) peer.beat();
    },
  };
}

/** Outside of the handler, whose variables a function inside would keep for as long as the connection: the request with its headers. */
function destroy(this: Duplex): void {
  this.destroy();
}

const describe = ({ headers }: IncomingMessage) => ({
  address: headers['x-real-ip'],
  requestId: headers['x-request-id'],
  origin: headers.origin,
});

function answer(socket: Duplex, status: number, body: string): void {
  socket.end(
    [
      `HTTP/1.1 ${status} Refused`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}
