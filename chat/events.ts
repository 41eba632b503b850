import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import { type Admission, refusalBody, STATUS } from './admission.ts';
import { clientFrom, limitKey } from './client-address.ts';
import type { Frame } from './frame.ts';
import { json } from './http.ts';
import type { Hub } from './hub.ts';
import { type AddressLimits, Bucket } from './limits.ts';
import { parse, personOf, RefusedError } from './parse.ts';
import type { Ack } from './protocol.ts';
import { type Peer, refusalOf, Session, throttle } from './session.ts';

/** A stream of server-sent events, open in one response. */
class EventPeer implements Peer {
  readonly transport = 'events';
  why = 'client';
  readonly #response: ServerResponse;
  readonly #maxBufferedBytes: number;

  constructor(response: ServerResponse, maxBufferedBytes: number) {
    this.#response = response;
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  send(frame: Frame): void {
    this.#write(frame.event);
  }

  /** A comment: keeps proxies from closing the response, and finds out that nobody reads it. */
  beat(): void {
    this.#write(': beat\n\n');
  }

  drained(): Promise<void> {
    if (!this.#response.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      this.#response.once('drain', resolve);
      this.#response.once('close', resolve);
    });
  }

  close(): void {
    this.#response.end();
  }

  terminate(): void {
    this.#response.destroy();
  }

  #write(data: Buffer | string): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    if (this.#response.writableLength > this.#maxBufferedBytes) {
      this.why = 'slow';
      this.#response.destroy();
      return;
    }
    this.#response.write(data);
  }
}

/**
 * The way through where a WebSocket is refused: events down in one long answer, messages up in requests of their own.
 *
 * A request may reach another instance than the one that holds the events: a TCP listener has no cookie to hold the two
 * together. So a request says who speaks and where, and needs nothing that another instance knows.
 *
 * The events are asked for by POST, which no EventSource can: the key is a secret, and an address would be in nginx's access log.
 */
export class EventStreams {
  readonly #hub: Hub;
  readonly #admission: Admission;
  readonly #limits: AddressLimits;
  readonly #peers = new Set<EventPeer>();
  readonly #buckets = new Map<string, Bucket>();

  constructor(hub: Hub, admission: Admission, limits: AddressLimits) {
    this.#hub = hub;
    this.#admission = admission;
    this.#limits = limits;
  }

  heartbeat(): void {
    for (const peer of this.#peers) peer.beat();
  }

  /** Forget people who have not sent anything for a while. */
  sweep(): void {
    const now = this.#hub.now();
    for (const [person, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(person);
  }

  async open(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.#answer(request, response, async () => {
      const { client, release } = this.#admission.admit(request);
      finished(response, release);
      const { rooms } = parse('events', await bodyOf(request, this.#maxBodyBytes(20)), this.#hub.config);
      response.writeHead(200, {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-store',
        // nginx would else collect the answer before it passes it on.
        'X-Accel-Buffering': 'no',
        'X-Content-Type-Options': 'nosniff',
      });
      response.socket?.setNoDelay(true);

      const peer = new EventPeer(response, this.#hub.config.bufferedBytes);
      const session = new Session(this.#hub, this.#limits, client, peer);
      const transport = 'events';
      this.#peers.add(peer);
      this.#hub.metrics.connections.inc({ transport });
      this.#hub.metrics.opened.inc({ transport, trusted: String(client.trusted) });
      this.#hub.log.debug({ ...client, transport }, 'connection opened');
      finished(response, () => {
        session.end();
        this.#peers.delete(peer);
        const why = this.#admission.isDraining ? 'drain' : peer.why;
        this.#hub.metrics.connections.dec({ transport });
        this.#hub.metrics.closed.inc({ transport, why });
        this.#hub.log.debug({ ...client, transport, why }, 'connection closed');
      });
      for (const join of rooms) session.join(join).catch((error: unknown) => session.refuse(error, join));
    });
  }

  async send(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.#answer(request, response, async () => {
      const body = await bodyOf(request, this.#maxBodyBytes(1));
      const { room, id, text, name, key } = parse('send', body, this.#hub.config);
      const person = personOf(key);
      this.#throttle(request, person);
      this.#hub.metrics.received.inc({ type: 'send' });
      const started = performance.now();
      const position = await this.#hub.store.append({ room, id, person, name, text, at: this.#hub.now() });
      this.#hub.metrics.appendSeconds.observe((performance.now() - started) / 1000);
      json(response, 200, { type: 'ack', room, id, ...position } satisfies Ack);
    });
  }

  async typing(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.#answer(request, response, async () => {
      const { room, typing, name, key } = parse('typing', await bodyOf(request, 2048), this.#hub.config);
      const signal = { person: personOf(key), name, typing };
      this.#throttle(request, signal.person);
      this.#hub.metrics.received.inc({ type: 'typing' });
      this.#hub.roomIfOpen(room)?.typing(signal, null);
      this.#hub.store.typing(room, signal);
      response.writeHead(204).end();
    });
  }

  /** Per person, where there is no connection to count by; and per address, as everywhere. */
  #throttle({ socket, headers }: IncomingMessage, person: string): void {
    const now = this.#hub.now();
    let bucket = this.#buckets.get(person);
    if (bucket === undefined) {
      bucket = new Bucket(this.#hub.config.messagesPerSecond, now);
      this.#buckets.set(person, bucket);
    }
    throttle(bucket.take(now) || this.#limits.message(limitKey(clientFrom(socket.remoteAddress, headers))));
  }

  async #answer(request: IncomingMessage, response: ServerResponse, work: () => Promise<void>): Promise<void> {
    try {
      this.#admission.checkOrigin(request);
      await work();
    } catch (error) {
      if (response.destroyed) return;
      const { code, message, retryAfterMs } = refusalOf(error, this.#hub);
      this.#hub.metrics.refused.inc({ code });
      response.writeHead(STATUS[code], {
        'Content-Type': 'application/json; charset=utf-8',
        'Cache-Control': 'no-store',
        // What is left of a body that is too long is not read.
        Connection: code === 'message-too-large' ? 'close' : 'keep-alive',
        ...(retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) }),
      });
      response.end(refusalBody(new RefusedError(code, message, retryAfterMs)));
    }
  }

  #maxBodyBytes(joins: number): number {
    return 6 * this.#hub.config.messageBytes + 2048 * joins;
  }
}

/** @throws RefusedError  message-too-large, before more than that is in memory */
async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new RefusedError('message-too-large', `The body has at most ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
