/**
 * Connections as nobody should open them, and some as everybody does: what is sent, and what the application may be told then.
 *
 * Pure: made by fast-check, judged by what the application has seen. Addresses are of documentation's ranges, and none is the clients' own.
 */
import fc from 'fast-check';

/** Text to write, in latin1, or a pause in milliseconds. */
export type Part = string | number;

export interface FuzzedConnection {
  readonly kind: Kind;
  /** Made of the number that it has in its run: `/fuzzed/17` is what it asks for, where it asks. */
  readonly parts: (request: string) => readonly Part[];
  /** What it says whose connection it is; undefined: nobody's. */
  readonly claimed?: string;
}

export type ReceiverMode = 'plain' | 'both' | 'proxy';

/** What the application may be told of a request. */
interface Told {
  /** `peer`: of who has opened the connection; `claimed`: of the PROXY line. */
  readonly address: 'peer' | 'claimed' | 'nobody';
  readonly trust: 'yes' | 'no';
  /** It has to come to the application; else it may as well be refused. */
  readonly served: boolean;
}

const PEER: Told = { address: 'peer', trust: 'no', served: true };
const NOBODY: Told = { address: 'nobody', trust: 'no', served: true };
const CLAIMED: Told = { address: 'claimed', trust: 'yes', served: true };
const perhaps = (told: Told): Told => ({ ...told, served: false });

type Expected = Readonly<Record<ReceiverMode, Told | 'refused'>>;
const NOWHERE: Expected = { plain: 'refused', both: 'refused', proxy: 'refused' };

/** What each kind may come to. `perhaps` is what one version refuses and another serves; whichever it does, the address is right. */
const EXPECTED = {
  'no line': { plain: PEER, both: PEER, proxy: 'refused' },
  TCP4: { plain: 'refused', both: NOBODY, proxy: CLAIMED },
  // nginx looks once: in `proxy` the load balancer, which writes its line in one piece, is the only one that it serves.
  'TCP4 in pieces': { plain: 'refused', both: NOBODY, proxy: perhaps(CLAIMED) },
  'TCP4, a byte at a time': { plain: 'refused', both: NOBODY, proxy: perhaps(CLAIMED) },
  TCP6: { plain: 'refused', both: NOBODY, proxy: CLAIMED },
  UNKNOWN: { plain: 'refused', both: NOBODY, proxy: PEER },
  // The specification lets a sender write addresses behind UNKNOWN, and wants them passed over; HAProxy 2.6 refuses them.
  'UNKNOWN with addresses': { plain: 'refused', both: perhaps(NOBODY), proxy: perhaps(PEER) },
  // HAProxy takes 999 modulo 256, and it is nobody's in `both` all the same; nginx serves it as the peer's.
  'wrong addresses': { plain: 'refused', both: perhaps(NOBODY), proxy: perhaps(PEER) },
  'IPv6 said to be TCP4': { plain: 'refused', both: perhaps(NOBODY), proxy: perhaps(CLAIMED) },
  'over-long': NOWHERE,
  'LF alone': NOWHERE,
  'lower case': NOWHERE,
  'two lines': NOWHERE,
  // nginx takes the binary form where it requires a line, from whom it believes.
  'version 2': { plain: 'refused', both: 'refused', proxy: perhaps(CLAIMED) },
  TLS: NOWHERE,
  noise: NOWHERE,
  'cut off': NOWHERE,
  silence: NOWHERE,
} as const satisfies Record<string, Expected>;

export type Kind = keyof typeof EXPECTED;
export const KINDS = Object.keys(EXPECTED) as Kind[];

const ipv4 = fc
  .tuple(fc.constantFrom('192.0.2', '203.0.113'), fc.integer({ min: 1, max: 254 }))
  .map(([net, host]) => `${net}.${host}`);
const ipv6 = fc.integer({ min: 1, max: 0xffff }).map((host) => `2001:db8::${host.toString(16)}`);
const port = fc.integer({ min: 1, max: 65535 });
const line4 = fc
  .record({ claimed: ipv4, text: fc.tuple(ipv4, port, port) })
  .map(({ claimed, text: [to, from, at] }) => ({
    claimed,
    line: `PROXY TCP4 ${claimed} ${to} ${from} ${at}\r\n`,
  }));
const line6 = fc.record({ claimed: ipv6, to: ipv6, from: port }).map(({ claimed, to, from }) => ({
  claimed,
  line: `PROXY TCP6 ${claimed} ${to} ${from} 443\r\n`,
}));

/** The bytes of a string, cut at these places, with a pause behind each piece but the last. */
function inPieces(text: string, cuts: readonly number[], pauseMs: number): Part[] {
  const at = [...new Set(cuts.map((cut) => 1 + (cut % (text.length - 1))))].sort((left, right) => left - right);
  return [0, ...at].flatMap((from, index) => {
    const piece = text.slice(from, at[index] ?? text.length);
    return index < at.length ? [piece, pauseMs] : [piece];
  });
}

/** Nothing follows: what is half a line is half a line for as long as the client likes. */
const alone = (text: string) => (): Part[] => [text];

/** @param byteMs  between the bytes of a connection that sends one at a time */
export function fuzzedConnection(byteMs: number): fc.Arbitrary<FuzzedConnection> {
  const whole = ({ claimed, line }: { claimed: string; line: string }, kind: Kind): FuzzedConnection => ({
    kind,
    claimed,
    parts: (request) => [line + request],
  });
  const refusedLine = (kind: Kind, change: (line: string) => string) =>
    line4.map(
      ({ claimed, line }): FuzzedConnection => ({ kind, claimed, parts: (request) => [change(line) + request] }),
    );
  const byKind: Record<Kind, fc.Arbitrary<FuzzedConnection>> = {
    'no line': fc.constant({ kind: 'no line', parts: (request) => [request] }),
    TCP4: line4.map((line) => whole(line, 'TCP4')),
    'TCP4 in pieces': fc
      .tuple(line4, fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), fc.integer({ min: 5, max: 120 }))
      .map(([{ claimed, line }, cuts, pauseMs]) => ({
        kind: 'TCP4 in pieces',
        claimed,
        // Within the line, and perhaps within the request.
        parts: (request) => inPieces(line + request, [(cuts[0] ?? 0) % (line.length - 2), ...cuts.slice(1)], pauseMs),
      })),
    'TCP4, a byte at a time': line4.map(({ claimed, line }) => ({
      kind: 'TCP4, a byte at a time',
      claimed,
      parts: (request) => [...[...line].flatMap((byte): Part[] => [byte, byteMs]), request],
    })),
    TCP6: line6.map((line) => whole(line, 'TCP6')),
    UNKNOWN: fc.constant({ kind: 'UNKNOWN', parts: (request) => [`PROXY UNKNOWN\r\n${request}`] }),
    'UNKNOWN with addresses': line4.map(({ claimed, line }) => ({
      kind: 'UNKNOWN with addresses',
      claimed,
      parts: (request) => [line.replace('TCP4', 'UNKNOWN') + request],
    })),
    'wrong addresses': fc
      .constantFrom(
        '999.0.113.9 192.0.2.1 1 80',
        '203.0.113.9 192.0.2.1 1 70000',
        '203.0.113.9 192.0.2.1 -1 80',
        '203.0.113.9',
        '',
      )
      .map((rest) => ({
        kind: 'wrong addresses',
        claimed: '203.0.113.9',
        parts: (request) => [`PROXY TCP4 ${rest}\r\n${request}`],
      })),
    'IPv6 said to be TCP4': fc.constant({
      kind: 'IPv6 said to be TCP4',
      claimed: '2001:db8::9',
      parts: (request) => [`PROXY TCP4 2001:db8::9 2001:db8::1 1 80\r\n${request}`],
    }),
    'over-long': fc
      .integer({ min: 108, max: 4000 })
      .chain((length) => refusedLine('over-long', (line) => `${line.slice(0, -2).padEnd(length - 2)}\r\n`)),
    'LF alone': refusedLine('LF alone', (line) => line.replace('\r\n', '\n')),
    'lower case': refusedLine('lower case', (line) => line.toLowerCase()),
    'two lines': fc.tuple(line4, fc.oneof(line4, line6)).map(([first, second]) => ({
      kind: 'two lines',
      claimed: second.claimed,
      parts: (request) => [first.line + second.line + request],
    })),
    'version 2': fc
      .tuple(fc.constantFrom('192.0.2', '203.0.113'), fc.integer({ min: 1, max: 254 }), port)
      .map(([net, host, from]) => ({
        kind: 'version 2',
        claimed: `${net}.${host}`,
        parts: (request) => [
          `\r\n\r\n\0\r\nQUIT\n${latin1(0x21, 0x11, 0, 12, ...net.split('.').map(Number), host, 192, 0, 2, 1, from >> 8, from & 255, 0, 80)}${request}`,
        ],
      })),
    TLS: fc.uint8Array({ minLength: 60, maxLength: 300 }).map((random) => ({
      kind: 'TLS',
      parts: alone(latin1(0x16, 3, 1, 1, 0, 1, 0, 0, 0xfc, 3, 3, ...random)),
    })),
    // A first byte that no method begins with: nothing of it is a request by accident.
    noise: fc
      .uint8Array({ minLength: 1, maxLength: 2000 })
      .map((random) => ({ kind: 'noise', parts: alone(latin1(0x80, ...random)) })),
    'cut off': line4.chain(({ line }) =>
      fc
        .integer({ min: 1, max: line.length - 1 })
        .map((length) => ({ kind: 'cut off', parts: alone(line.slice(0, length)) })),
    ),
    silence: fc.integer({ min: 0, max: 400 }).map((pauseMs) => ({ kind: 'silence', parts: () => [pauseMs] })),
  };
  return fc.oneof(...Object.values(byKind));
}

function latin1(...bytes: readonly number[]): string {
  return Buffer.from(bytes).toString('latin1');
}

/** Headers by which a client says who it is: none of them may be passed on. */
const forgedHeaders = (claimed: string): string =>
  ['X-Real-IP', 'X-Forwarded-For', 'Forwarded', 'X-Forwarded-Host', 'True-Client-IP-Not-Ours', 'X-Client-Address-Trust']
    .map((name) => `${name}: ${name.endsWith('Trust') ? 'yes' : claimed}\r\n`)
    .join('');

export function requestOf(index: number, claimed = '203.0.113.99'): string {
  return `GET /fuzzed/${index} HTTP/1.1\r\nHost: fuzzed.example\r\n${forgedHeaders(claimed)}Connection: close\r\n\r\n`;
}

/** One request, as the application has seen it. */
export interface SeenRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/**
 * What went wrong, a sentence each; empty: every address was right, and all that had to be served was.
 *
 * @param peer  the clients' own address
 */
export function judgeFuzzed(
  connections: readonly FuzzedConnection[],
  seen: readonly SeenRequest[],
  mode: ReceiverMode,
  peer: string,
): string[] {
  const served = new Set<number>();
  const wrong = seen.flatMap(({ url, headers }) => {
    const index = Number(/^\/fuzzed\/(\d+)$/.exec(url)?.[1]);
    const connection = connections[index];
    if (connection === undefined) return [`a request that nobody sent: ${url}`];
    served.add(index);
    const expected: Told | 'refused' = EXPECTED[connection.kind][mode];
    const said = `in ${mode}, ${index} (${connection.kind}) was served`;
    if (expected === 'refused') return [said];
    const address = { peer, claimed: connection.claimed, nobody: undefined }[expected.address];
    const told = {
      'x-real-ip': address,
      'x-forwarded-for': address,
      'x-client-address-trust': expected.trust,
      forwarded: undefined,
      'x-forwarded-host': undefined,
    };
    return Object.entries(told)
      .filter(([name, value]) => headers[name] !== value)
      .map(([name, value]) => `${said} with ${name} "${headers[name]}" instead of "${value}"`);
  });
  const missing = connections.flatMap(({ kind }, index) => {
    const expected: Told | 'refused' = EXPECTED[kind][mode];
    return expected !== 'refused' && expected.served && !served.has(index)
      ? [`in ${mode}, ${index} (${kind}) was not served`]
      : [];
  });
  return [...wrong, ...missing];
}

/** Kinds of which a run has made none: a generator that makes none tests none. */
export function missingKinds(connections: readonly FuzzedConnection[]): Kind[] {
  return KINDS.filter((kind) => !connections.some((connection) => connection.kind === kind));
}
