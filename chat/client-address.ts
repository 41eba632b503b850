import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** What this service knows of a client's address, and whether anything may be held against it. */
export type Client = {
  readonly address: string | null;
  readonly trusted: boolean;
  readonly scheme: 'http' | 'https' | null;
};

/**
 * The client's address as nginx told it.
 *
 * `X-Real-IP`, `X-Client-Address-Trust` and `X-Forwarded-Proto` are believed because the peer is on this machine's loopback: the service
 * listens there alone, and nginx overwrites these three on every request (docs/architecture.md, "What nginx tells the application"). From any
 * other peer (somebody set CHAT_HOST) they are whatever the peer wrote, so the peer's own address is taken and not trusted.
 * `X-Forwarded-For` is not read at all: its left-most entry is the client's own to choose.
 */
export function clientFrom(peerAddress: string | undefined, headers: IncomingHttpHeaders): Client {
  if (!isLoopback(peerAddress)) return { address: peerAddress ?? null, trusted: false, scheme: null };

  const address = single(headers['x-real-ip']);
  const scheme = single(headers['x-forwarded-proto']);
  const known = address !== undefined && isIP(address) !== 0;
  return {
    address: known ? address : null,
    trusted: known && single(headers['x-client-address-trust']) === 'yes',
    scheme: scheme === 'https' || scheme === 'http' ? scheme : null,
  };
}

/** nginx sends `X-Client-Address-Trust` with every request; what comes without it was asked for on this machine. */
export const cameThroughProxy = (headers: IncomingHttpHeaders): boolean =>
  headers['x-client-address-trust'] !== undefined;

/**
 * What the limits of one client are counted under: the address, or the /64 of an IPv6 address, since one customer has at
 * least that many (RFC 6177); null while it is not trusted, when everybody may seem to share one address.
 */
export function limitKey({ address, trusted }: Client): string | null {
  if (!trusted || address === null) return null;
  if (isIP(address) !== 6) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - after.length;
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...after];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
}

/** A header that came twice is nobody's word: nginx sends each once. */
function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && !value.includes(',') ? value.trim() : undefined;
}
