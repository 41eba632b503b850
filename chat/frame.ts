import type { ServerMessage } from './protocol.ts';

/** A message to clients, encoded once for however many it goes to. */
export class Frame {
  readonly json: string;
  #bytes: Buffer | undefined;
  #event: Buffer | undefined;

  constructor(message: ServerMessage) {
    this.json = JSON.stringify(message);
  }

  /** Payload of a WebSocket text frame. */
  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(this.json);
    return this.#bytes;
  }

  /** One server-sent event. JSON has no line breaks, so that one `data` line holds it. */
  get event(): Buffer {
    this.#event ??= Buffer.from(`data: ${this.json}\n\n`);
    return this.#event;
  }
}
