/** One client connection, plain or TLS, and the requests on it: what was answered, or exactly how it failed. */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import {
  type ConnectionOptions,
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { type Answer, AnswerParser } from './answer-parser.ts';

export type Listener = 'plain' | 'tls';

/**
 * - `refused`: nobody listens (or a firewall says so); `unreachable`: no way there
 * - `reset`: ended by RST before the whole answer was there; `closed`: ended by FIN before its first byte;
 *   `truncated`: ended by FIN within it
 * - `local`: this side could not even try: no port or file descriptor left, no such source address
 * - `tls`: no handshake, or a certificate that is not the load balancer's
 * - `status-…`: answered, but not with what is answered to everybody else
 * - `bad-answer`: not HTTP, or not what the application answers
 */
export const FAILURE_KINDS = [
  'local',
  'refused',
  'unreachable',
  'reset',
  'closed',
  'truncated',
  'timeout',
  'tls',
  'status-400',
  'status-4xx',
  'status-5xx',
  'status-other',
  'bad-answer',
] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

export type Exchange =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | {
      readonly kind: 'failure';
      readonly failure: FailureKind;
      /** Bytes of the answer (behind TLS, where there is TLS) that were there when it failed. */
      readonly bytes: number;
      readonly detail: string;
    };

export interface Endpoint {
  readonly listener: Listener;
  readonly target: string;
  readonly port: number;
  readonly source: string;
}

/** What is verified of a TLS server, and its tickets: a browser too resumes where it was before. */
export class TlsClient {
  private readonly context: SecureContext;
  private readonly sessions = new Map<string, Buffer>();
  private readonly servername: string;

  constructor(options: { servername: string; ca: string }) {
    this.servername = options.servername;
    this.context = createSecureContext({ ca: options.ca });
  }

  connect(endpoint: Endpoint): TLSSocket {
    const session = this.sessions.get(endpoint.target);
    // The types do not say that what is not TLS's own is handed on to `net.connect`; its documentation does.
    const options: ConnectionOptions & TcpNetConnectOpts = {
      host: endpoint.target,
      port: endpoint.port,
      localAddress: endpoint.source,
      servername: this.servername,
      secureContext: this.context,
      ...(session ? { session } : {}),
    };
    const socket = connectTls(options);
    socket.on('session', (ticket) => this.sessions.set(endpoint.target, ticket));
    return socket;
  }
}

export class ClientConnection {
  private readonly socket: Socket;
  /** Set once the connection can carry nothing more, with the first reason. */
  private ended: { failure: FailureKind; detail: string } | undefined;
  private waiting: { parser: AnswerParser; settle: (exchange: Exchange) => void } | undefined;
  private strayBytes = 0;

  constructor(endpoint: Endpoint, tls: TlsClient) {
    this.socket =
      endpoint.listener === 'tls'
        ? tls.connect(endpoint)
        : connect({ host: endpoint.target, port: endpoint.port, localAddress: endpoint.source });
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk: Buffer) => this.onData(chunk));
    this.socket.on('end', () => this.onEnd());
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.onError(error));
    this.socket.on('close', () => this.finish('closed', 'the connection was closed'));
  }

  /** False once the other side has ended the connection, as far as is known here. */
  get isOpen(): boolean {
    return this.ended === undefined;
  }

  /** Send one request as it stands and wait for its answer. One at a time. */
  exchange(request: string, timeoutMs: number): Promise<Exchange> {
    return new Promise((resolve) => {
      const parser = new AnswerParser();
      const timer = setTimeout(() => this.finish('timeout', `no whole answer in ${timeoutMs} ms`), timeoutMs);
      const settle = (exchange: Exchange): void => {
        clearTimeout(timer);
        this.waiting = undefined;
        resolve(exchange);
      };
      this.waiting = { parser, settle };
      if (this.ended) settle({ kind: 'failure', ...this.ended, bytes: 0 });
      else if (this.strayBytes > 0) this.finish('bad-answer', `${this.strayBytes} bytes that nobody asked for`);
      else this.socket.write(request);
    });
  }

  close(): void {
    this.ended ??= { failure: 'closed', detail: 'closed by this side' };
    this.socket.destroy();
  }

  private onData(chunk: Buffer): void {
    if (this.waiting) this.advance(this.waiting.parser.push(chunk));
    else this.strayBytes += chunk.length;
  }

  private onEnd(): void {
    if (!this.waiting) {
      this.finish('closed', 'closed by the server while idle');
      return;
    }
    const { parser } = this.waiting;
    const state = parser.end();
    this.advance(state);
    if (state === 'more') this.finish(parser.bytes === 0 ? 'closed' : 'truncated', 'ended by the server');
  }

  private advance(state: 'more' | 'done' | 'bad'): void {
    if (state === 'bad') this.finish('bad-answer', 'what came is not an HTTP answer');
    if (state !== 'done' || !this.waiting) return;
    const { parser, settle } = this.waiting;
    this.strayBytes += parser.excess;
    settle({ kind: 'answer', answer: parser.result() });
  }

  private onError(error: NodeJS.ErrnoException): void {
    this.finish(failureOf(error), `${error.code ?? error.name}: ${error.message}`);
  }

  private finish(failure: FailureKind, detail: string): void {
    this.ended ??= { failure, detail };
    this.socket.destroy();
    this.waiting?.settle({ kind: 'failure', failure, bytes: this.waiting.parser.bytes, detail });
  }
}

function failureOf(error: NodeJS.ErrnoException): FailureKind {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'refused';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENETDOWN':
      return 'unreachable';
    case 'EADDRNOTAVAIL':
    case 'EADDRINUSE':
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
      return 'local';
    case 'ECONNRESET':
      // Node.js gives a FIN within the handshake the same code as an RST.
      return error.message.includes('before secure TLS connection') ? 'closed' : 'reset';
    case 'EPIPE':
    case 'ECONNABORTED':
      return 'reset';
    case 'ETIMEDOUT':
      return 'timeout';
    default:
      return 'tls';
  }
}

/** Answers that are no success: the kind by which they are counted. */
export function failureOfStatus(status: number): FailureKind {
  if (status === 400) return 'status-400';
  if (status >= 400 && status < 500) return 'status-4xx';
  return status >= 500 ? 'status-5xx' : 'status-other';
}
