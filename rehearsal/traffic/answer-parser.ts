/**
 * HTTP/1.1 answers, byte by byte as they come, so that it is known exactly how much of one was there when a connection ended.
 *
 * `node:http` is not used: it retries nothing, but it hides whether a connection ended before, within or after an answer,
 * which is the whole question here.
 */
export interface Answer {
  readonly status: number;
  /** Names in lower case; of a repeated header the last one. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Whether the server keeps the connection for the next request. */
  readonly keepsConnection: boolean;
}

/** Far above what any server in a rehearsal answers; a flood ends as `bad`. */
const MAX_BYTES = 1_000_000;

export class AnswerParser {
  bytes = 0;
  /** Bytes beyond the answer's end: nobody asked for them. */
  excess = 0;
  private received: Buffer = Buffer.alloc(0);
  private head: { status: number; headers: Map<string, string>; bodyStart: number; version: string } | undefined;
  private answer: Answer | undefined;

  /** `done` once a whole answer is there; `bad` for what is none; else `more`. */
  push(chunk: Buffer): 'more' | 'done' | 'bad' {
    this.bytes += chunk.length;
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    if (this.received.length > MAX_BYTES) return 'bad';
    if (this.head === undefined) {
      const end = this.received.indexOf('\r\n\r\n');
      if (end < 0) return couldBecomeStatusLine(this.received) ? 'more' : 'bad';
      this.head = parseHead(this.received.toString('latin1', 0, end), end + 4);
      if (this.head === undefined) return 'bad';
    }
    return this.readBody(false);
  }

  /** The server ended the connection: `done` if that is how this answer ends, else `more` (it is cut off). */
  end(): 'more' | 'done' | 'bad' {
    return this.head === undefined ? 'more' : this.readBody(true);
  }

  result(): Answer {
    if (this.answer === undefined) throw new Error('the answer is not complete');
    return this.answer;
  }

  private readBody(ended: boolean): 'more' | 'done' | 'bad' {
    const head = this.head;
    if (head === undefined) return 'more';
    const { status, headers, bodyStart } = head;
    if (status < 200) return 'bad'; // No interim answer can be meant: no request here expects one.
    const rest = this.received.subarray(bodyStart);
    const length = headers.get('content-length');
    const chunked = /(^|,)\s*chunked\s*$/i.test(headers.get('transfer-encoding') ?? '');
    if (status === 204 || status === 304) return this.finish('', 0, rest);
    if (chunked) {
      const body = readChunks(rest);
      return typeof body === 'string' ? body : this.finish(body.text, body.end, rest);
    }
    if (length !== undefined) {
      if (!/^\d+$/.test(length)) return 'bad';
      const bytes = Number(length);
      return rest.length < bytes ? 'more' : this.finish(rest.toString('utf8', 0, bytes), bytes, rest);
    }
    return ended ? this.finish(rest.toString('utf8'), rest.length, rest, false) : 'more';
  }

  private finish(body: string, end: number, rest: Buffer, delimited = true): 'done' {
    const { status, headers, version } = this.head as NonNullable<typeof this.head>;
    const connection = (headers.get('connection') ?? '').toLowerCase();
    const keepsConnection = delimited && (version === '1.1' ? connection !== 'close' : connection === 'keep-alive');
    this.excess = rest.length - end;
    this.answer = { status, headers, body, keepsConnection };
    return 'done';
  }
}

function couldBecomeStatusLine(received: Buffer): boolean {
  const start = received.toString('latin1', 0, 5);
  return 'HTTP/'.startsWith(start);
}

function parseHead(text: string, bodyStart: number) {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const match = /^HTTP\/(1\.[01]) (\d{3})( |$)/.exec(statusLine);
  if (match === null) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) return undefined;
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(match[2]), version: match[1] ?? '', headers, bodyStart };
}

function readChunks(rest: Buffer): 'more' | 'bad' | { text: string; end: number } {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd < 0) return 'more';
    const size = /^([0-9a-fA-F]+)\s*(;.*)?$/.exec(rest.toString('latin1', at, lineEnd));
    if (size === null) return 'bad';
    const bytes = Number.parseInt(size[1] ?? '', 16);
    const end = lineEnd + 2 + bytes + 2;
    if (rest.length < end) return 'more';
    if (rest.toString('latin1', end - 2, end) !== '\r\n') return 'bad'; // Trailers are announced by TE, which is never sent.
    if (bytes === 0) return { text: Buffer.concat(parts).toString('utf8'), end };
    parts.push(rest.subarray(lineEnd + 2, end - 2));
    at = end;
  }
}
