import type { IncomingHttpHeaders } from 'node:http';

/** What the receiver says of a client, and everything that the request had. */
export interface Told {
  /** X-Real-IP; null where the receiver named nobody. */
  readonly address: string | null;
  /** Whether the address may be relied on: X-Client-Address-Trust. */
  readonly trusted: boolean;
  /** X-Forwarded-Proto; null where the receiver does not know. */
  readonly scheme: string | null;
  readonly headers: IncomingHttpHeaders;
}

export function told(headers: IncomingHttpHeaders): Told {
  return {
    address: header(headers, 'x-real-ip'),
    trusted: header(headers, 'x-client-address-trust') === 'yes',
    scheme: header(headers, 'x-forwarded-proto'),
    headers,
  };
}

function header(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
