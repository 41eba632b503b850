/**
 * The way to Debian's packages for machines of the bare image, which are in a network without a way out: an HTTP proxy on a
 * unix socket, to which the gateway pipes. It serves GET and HEAD of package mirrors, as apt asks for them, and no more.
 */
import http from 'node:http';

export function startPackageProxy(socketPath: string): Promise<AsyncDisposable> {
  const server = http.createServer((request, response) => {
    let target: URL;
    try {
      target = new URL(request.url ?? '');
    } catch {
      response.writeHead(400).end('a proxy is asked with a whole address');
      return;
    }
    if (target.protocol !== 'http:' || !['GET', 'HEAD'].includes(request.method ?? '')) {
      response.writeHead(403).end('only packages, only read');
      return;
    }
    const { 'proxy-connection': _, ...headers } = request.headers;
    // Where the host itself reaches the mirror through a proxy, so do the machines.
    const proxy = process.env.http_proxy ? new URL(process.env.http_proxy) : undefined;
    const upstream = http.request({
      host: (proxy ?? target).hostname,
      port: (proxy ?? target).port,
      path: proxy === undefined ? `${target.pathname}${target.search}` : target.href,
      method: request.method ?? 'GET',
      headers: { ...headers, host: target.host },
    });
    upstream.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', (error) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end(error.message);
    });
    response.on('close', () => upstream.destroy());
    upstream.end();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(socketPath, () => {
      resolve({
        async [Symbol.asyncDispose]() {
          server.closeAllConnections();
          await new Promise((closed) => server.close(closed));
        },
      });
    });
  });
}
