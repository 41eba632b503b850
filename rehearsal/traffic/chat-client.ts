/** One chat client, as the page would be: joins a room of its own, says numbered things, and hears each of them back. */
import { type ClientOptions, WebSocket } from 'ws';
import type { ChatMessage, ClientMessage, Position, ServerMessage } from '../../chat/protocol.ts';
import { OWN_FORWARDED_FOR } from './clients.ts';
import type { InstanceAnswer } from './ledger.ts';

export interface ChatClientOptions {
  readonly target: string;
  readonly port: number;
  readonly path: string;
  readonly source: string;
  readonly tls: { readonly servername: string; readonly ca: string };
  /** Nobody else is in it. */
  readonly room: string;
  /** Where the last connection left off, for one that comes back; what was said since is echoed. */
  readonly since?: Position | undefined;
  readonly openTimeoutMs: number;
  /** The message with this id came back. */
  readonly onEcho: (id: string) => void;
  /** The connection ended and `close` had not been called. */
  readonly onDrop: (code: number, reason: string) => void;
  /** The service refused something, or numbered a room's messages with a gap or twice. */
  readonly onComplaint: (what: string) => void;
}

export class ChatClient {
  /** What the service saw of the client, from its `welcome`. */
  readonly welcome: InstanceAnswer;
  private readonly socket: WebSocket;
  private readonly options: ChatClientOptions;
  private epoch: string;
  private lastOffset: number;
  private isClosing = false;

  /**
   * Connect, upgrade, join.
   *
   * @throws Error  in words, when that did not come about within `openTimeoutMs`
   */
  static async open(options: ChatClientOptions): Promise<ChatClient> {
    const { target, port, path, source, tls, room, since, openTimeoutMs } = options;
    // `servername` is handed on to `tls.connect`; ws's types do not know it.
    const clientOptions: ClientOptions & { servername: string } = {
      ca: tls.ca,
      servername: tls.servername,
      headers: { host: tls.servername, 'x-forwarded-for': OWN_FORWARDED_FOR },
      origin: `https://${tls.servername}`,
      localAddress: source,
      perMessageDeflate: false,
    };
    const socket = new WebSocket(`wss://${target}:${port}${path}`, clientOptions);
    const inbox = new Inbox(socket, openTimeoutMs);
    try {
      const welcome = await inbox.next('welcome');
      // The room's name is the person's key, too: what is said again after a return is known by it.
      socket.send(JSON.stringify({ type: 'join', room, name: room, key: room, since } satisfies ClientMessage));
      const joined = await inbox.next('joined');
      inbox.release();
      return new ChatClient(socket, options, welcome, joined);
    } catch (error) {
      inbox.release();
      socket.on('error', () => {});
      socket.terminate();
      throw error;
    }
  }

  private constructor(
    socket: WebSocket,
    options: ChatClientOptions,
    welcome: InstanceAnswer,
    joined: Extract<ServerMessage, { type: 'joined' }>,
  ) {
    this.socket = socket;
    this.options = options;
    this.welcome = { address: welcome.address, trusted: welcome.trusted, instance: welcome.instance };
    this.epoch = joined.epoch;
    this.lastOffset = options.since?.offset ?? joined.offset;
    if (options.since !== undefined) {
      if (joined.recovered !== 'complete' || joined.more)
        options.onComplaint(`came back, and history was ${joined.recovered}`);
      for (const message of joined.history) this.hear(message);
    }
    let lastError = '';
    socket.on('message', (data) => this.onMessage(parse(String(data))));
    socket.on('error', (error) => {
      lastError = error.message;
    });
    socket.on('close', (code, reason) => {
      if (!this.isClosing) options.onDrop(code, String(reason) || lastError);
    });
    // It may have ended between the answer to `join` and here.
    if (socket.readyState === WebSocket.CLOSED) queueMicrotask(() => options.onDrop(1006, 'ended while joining'));
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  say(id: string, text: string): void {
    const message: ClientMessage = { type: 'send', room: this.options.room, id, text };
    this.socket.send(JSON.stringify(message));
  }

  /** Close as asked for; the rest is cut off after a second. */
  close(): Promise<void> {
    this.isClosing = true;
    if (this.socket.readyState === WebSocket.CLOSED) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.socket.terminate(), 1000);
      this.socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.socket.close(1000);
    });
  }

  /** The place of the last message that it has heard. */
  get position(): Position {
    return { epoch: this.epoch, offset: this.lastOffset };
  }

  private hear({ offset, id }: ChatMessage): void {
    if (offset !== this.lastOffset + 1) this.options.onComplaint(`offset ${offset} after ${this.lastOffset}`);
    this.lastOffset = offset;
    this.options.onEcho(id);
  }

  private onMessage(message: ServerMessage | undefined): void {
    if (message?.type === 'message' && message.room === this.options.room) {
      this.hear(message);
    }
    if (message?.type === 'error') this.options.onComplaint(`refused: ${message.code}: ${message.message}`);
    if (message === undefined) this.options.onComplaint('a frame that is not JSON');
  }
}

/** The first messages of a connection, in the order in which they are waited for; everything else is passed over. */
class Inbox {
  private readonly messages: ServerMessage[] = [];
  private failure: Error | undefined;
  private wake: () => void = () => {};
  private readonly timer: NodeJS.Timeout;
  private readonly socket: WebSocket;
  private readonly onMessage = (data: unknown): void => {
    const message = parse(String(data));
    if (message) this.messages.push(message);
    this.wake();
  };
  private readonly onError = (error: Error): void => this.fail(error);
  private readonly onClose = (code: number, reason: Buffer): void => this.fail(new Error(`closed: ${code} ${reason}`));

  constructor(socket: WebSocket, timeoutMs: number) {
    this.socket = socket;
    this.timer = setTimeout(() => this.fail(new Error(`not joined within ${timeoutMs} ms`)), timeoutMs);
    socket.on('message', this.onMessage);
    socket.on('error', this.onError);
    socket.on('close', this.onClose);
  }

  async next<T extends ServerMessage['type']>(type: T): Promise<Extract<ServerMessage, { type: T }>> {
    for (;;) {
      for (let message = this.messages.shift(); message; message = this.messages.shift()) {
        if (message.type === type) return message as Extract<ServerMessage, { type: T }>;
        if (message.type === 'error') throw new Error(`refused: ${message.code}: ${message.message}`);
      }
      if (this.failure) throw this.failure;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  release(): void {
    clearTimeout(this.timer);
    this.socket.off('message', this.onMessage);
    this.socket.off('error', this.onError);
    this.socket.off('close', this.onClose);
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.wake();
  }
}

function parse(text: string): ServerMessage | undefined {
  try {
    return JSON.parse(text) as ServerMessage;
  } catch {
    return undefined;
  }
}
