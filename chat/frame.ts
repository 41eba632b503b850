import type { ServerMessage } from './protocol.ts';

/** A message to clients, encoded once for however many it goes to. */
export class Frame {
  readonly json: string;
  #bytes: Buffer | undefined;
  #event: Buffer | undefined;

  constructor(message: ServerMessage) {
    this.json = JSON.stringify(message);
  }

  /** The whole WebSocket frame, header and payload in one piece, to be written as it is. */
  get bytes(): Buffer {
    this.#bytes ??= textFrame(this.json);
    return this.#bytes;
  }

  /** One server-sent event. JSON has no line breaks, so that one `data` line holds it. */
  get event(): Buffer {
    this.#event ??= Buffer.from(`data: ${this.json}\n\n`);
    return this.#event;
  }
}

/** One unfragmented text frame from server to client, which is never masked: RFC 6455, section 5.2. */
function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headerBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerBytes + length);
  frame[0] = 0x81;
  if (headerBytes === 2) {
    frame[1] = length;
  } else if (headerBytes === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headerBytes);
  return frame;
}
