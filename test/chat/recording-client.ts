import WebSocket from 'ws';
import { ChatClient, type ClientEvents } from '../../chat/page/client.ts';
import { eventsTransport, type Transport, webSocketTransport } from '../../chat/page/transport.ts';
import type { ChatMessage } from '../../chat/protocol.ts';
import type { Chat } from '../../chat/server.ts';

export type Headers = Readonly<Record<string, string>>;

/** The page's own client, with everything that it told kept for the test. */
export class RecordingClient {
  readonly client: ChatClient;
  readonly messages: ChatMessage[] = [];
  readonly acknowledged = new Set<string>();
  readonly failed: string[] = [];
  readonly states: string[] = [];
  lost = 0;
  /** What `closed` links are replaced by: the ports of the instance that it is sent to next. */
  constructor(options: {
    readonly instance: () => Pick<Chat, 'httpPort' | 'webSocketPort'>;
    readonly key?: string;
    readonly transports?: readonly Transport['kind'][];
    readonly headers?: Headers;
  }) {
    const key = options.key ?? `key-${crypto.randomUUID()}`;
    const available: Record<Transport['kind'], Transport> = {
      websocket: webSocketTransport(
        () =>
          new WebSocket(`ws://127.0.0.1:${options.instance().webSocketPort}/ws/`, {
            headers: options.headers ?? {},
          }) as never,
      ),
      events: eventsTransport({
        base: 'http://chat.invalid',
        key,
        nameIn: (room) => this.client.nameIn(room),
        fetch: (url, init) =>
          fetch(url.replace('http://chat.invalid', `http://127.0.0.1:${options.instance().httpPort}`), init),
      }),
    };
    const events: ClientEvents = {
      state: ({ phase }) => this.states.push(phase),
      welcome: () => {},
      messages: (_room, messages) => this.messages.push(...messages),
      lost: () => {
        this.lost += 1;
      },
      settled: (_room, id, outcome) => {
        if ('offset' in outcome) this.acknowledged.add(id);
        else this.failed.push(`${id}: ${outcome.refusal.code}`);
      },
      other: () => {},
      latency: () => {},
    };
    this.client = new ChatClient({
      key,
      events,
      transports: (options.transports ?? ['websocket']).map((kind) => available[kind]),
    });
  }
}
