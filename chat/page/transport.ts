import type { Ack, ClientMessage, Join, Refusal, ServerMessage } from '../protocol.ts';

/** One way to the service. It hears what comes until `closed`, which is called once, whatever the end. */
export type Listener = {
  message(message: ServerMessage): void;
  /** Something came that says nothing but that the service is there. */
  alive(): void;
  /** `why`: for people, empty where nothing is known; `code`: the service's own word, where it gave one. */
  closed(end: { readonly why: string; readonly code?: string | undefined }): void;
};
export type Link = {
  /** False: this link cannot carry it, and the connection has to be opened anew. */
  send(message: ClientMessage): boolean;
  close(): void;
};
export type Transport = {
  readonly kind: 'websocket' | 'events';
  open(joins: readonly Join[], listener: Listener): Link;
};

/** What is used of a browser's WebSocket, and of the one of `ws`. */
export type SocketLike = {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(): void;
};

const OPEN = 1;
/** How long a WebSocket may take to open: a proxy may swallow the upgrade and never answer. */
const OPEN_MS = 8000;

export function webSocketTransport(create: () => SocketLike): Transport {
  return {
    kind: 'websocket',
    open(joins, listener) {
      const socket = create();
      let isOpen = false;
      let isClosed = false;
      const end = (why: string) => {
        if (isClosed) return;
        isClosed = true;
        clearTimeout(timer);
        listener.closed({ why });
      };
      const timer = setTimeout(() => {
        if (isOpen) return;
        socket.close();
        end('the WebSocket did not open');
      }, OPEN_MS);
      socket.onopen = () => {
        isOpen = true;
        for (const join of joins) socket.send(JSON.stringify(join));
      };
      socket.onmessage = ({ data }) => {
        if (!isClosed) listener.message(JSON.parse(String(data)) as ServerMessage);
      };
      socket.onerror = () => {};
      socket.onclose = ({ reason }) => end(reason);
      return {
        send(message) {
          // One that is closing takes nothing any more, and says so in the console; what is not acknowledged is sent anew.
          if (socket.readyState === OPEN) socket.send(JSON.stringify(message));
          return true;
        },
        close() {
          // A connection that is dead takes long to close; nobody waits for it.
          end('');
          socket.close();
        },
      };
    },
  };
}

/** Server-sent events down, requests up: for where a proxy on the way refuses the WebSocket. */
export function eventsTransport(options: {
  readonly base: string;
  readonly key: string;
  nameIn(room: string): string;
  fetch(url: string, init: RequestInit): Promise<Response>;
}): Transport {
  const { base, key, nameIn } = options;
  const post = (path: string, body: unknown, signal: AbortSignal) =>
    options.fetch(new URL(path, base).href, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal,
      cache: 'no-store',
    });

  return {
    kind: 'events',
    open(joins, listener) {
      const abort = new AbortController();
      let isClosed = false;
      const end = (why: string, code?: string) => {
        if (isClosed) return;
        isClosed = true;
        abort.abort();
        listener.closed({ why, code });
      };

      const read = async () => {
        const response = await post('/events', { rooms: joins }, abort.signal);
        if (!response.ok || response.body === null) {
          const refusal = (await response.json().catch(() => null)) as Refusal | null;
          return end(refusal?.message ?? `the service answered ${response.status}`, refusal?.code);
        }
        for await (const message of eventsOf(response.body)) {
          if (isClosed) return;
          if (message === null) listener.alive();
          else listener.message(message);
        }
        end('');
      };
      read().catch((error: unknown) => end(String(error)));

      const request = async (path: string, message: object & { readonly room: string }) => {
        const response = await post(path, { ...message, name: nameIn(message.room), key }, abort.signal);
        if (response.status === 204 || isClosed) return;
        const answer = (await response.json()) as Ack | Refusal;
        if (response.ok) listener.message(answer);
        else if (answer.type === 'error') listener.message({ ...answer, ...idOf(message) });
      };

      return {
        send(message) {
          switch (message.type) {
            case 'send':
            case 'typing':
              // What fails is sent again by whoever wants it kept.
              request(`/${message.type}`, message).catch(() => {});
              return true;
            case 'ping':
              // Any instance may answer: what is measured is the way there and back.
              options
                .fetch(new URL('/whoami', base).href, { signal: abort.signal, cache: 'no-store' })
                .then(() => listener.message({ type: 'pong', n: message.n, at: Date.now() }))
                .catch(() => {});
              return true;
            case 'join':
            case 'leave':
              return false;
          }
        },
        close: () => end(''),
      };
    },
  };
}

const idOf = (message: { readonly room: string; readonly id?: string }) => ({ room: message.room, id: message.id });

/** The events of a stream of them; null for a comment, which is the service's heartbeat. https://html.spec.whatwg.org/#event-stream-interpretation */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerMessage | null> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data: ')) yield JSON.parse(line.slice(6)) as ServerMessage;
      else if (line.startsWith(':')) yield null;
    }
  }
}
