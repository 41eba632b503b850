/**
 * A fault: the process is killed around its n-th AWS call, so that the call was made or not, and its answer never read.
 *
 * It stands between one process and the AWS endpoint, so it needs nothing of the endpoint and hits exactly this process.
 * A process without the fault talks to the endpoint directly.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CallKill {
  /** 1 = the first call that the process makes. */
  readonly call: number;
  /** `before`: AWS never saw the call. `after`: AWS did what was asked, the process never learned it. */
  readonly when: 'before' | 'after';
}

export interface KillingProxy {
  readonly url: string;
  close(): void;
}

export async function startKillingProxy(endpointUrl: string, kill: CallKill, end: () => void): Promise<KillingProxy> {
  let calls = 0;
  const server = http.createServer((request, response) => {
    calls += 1;
    const isTheOne = calls === kill.call;
    if (isTheOne && kill.when === 'before') {
      end();
      return;
    }
    const onward = http.request(
      new URL(request.url ?? '/', endpointUrl),
      { method: request.method, headers: request.headers },
      (answer) => {
        if (isTheOne) {
          // Only a whole answer shows that the call was made.
          answer.resume().on('end', end);
          return;
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
