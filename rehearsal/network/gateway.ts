/**
 * The door between the host and the rehearsal's network: pipes TCP connections to and from unix sockets.
 *
 * Runs as a process of its own inside the bridge's network namespace (a Node.js process cannot enter one). Inwards, what
 * machines reach at the gateway's address (S3, Debian's packages) ends at the control process. Outwards, a browser on the
 * host reaches the load balancer's nodes. Its routes are its arguments:
 *
 *   tcp:10.0.0.2:80>unix:/run/s3.sock   unix:/run/page.sock>tcp:10.0.101.21:443
 *
 * `tcp+peer-address:` writes the address that a connection came from, and a newline, before its first byte.
 *
 * It ends when its standard input does, which is when the control process ends, however that happens.
 */
import net from 'node:net';

function parseEnd(text: string): net.NetConnectOpts & net.ListenOptions {
  const [, kind, rest = ''] = /^(tcp(?:\+peer-address)?|unix):(.+)$/.exec(text) ?? [];
  if (kind === 'unix') return { path: rest };
  const [host = '', port = ''] = rest.split(':');
  return { host, port: Number(port) };
}

async function openRoute(route: string): Promise<void> {
  const [from = '', to = ''] = route.split('>');
  const server = net.createServer({ allowHalfOpen: true }, (inside) => {
    const outside = net.connect({ ...parseEnd(to), allowHalfOpen: true });
    if (from.startsWith('tcp+peer-address:')) outside.write(`${inside.remoteAddress}\n`);
    inside.pipe(outside).pipe(inside);
    inside.on('error', () => outside.destroy());
    outside.on('error', () => inside.destroy());
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(parseEnd(from), resolve));
}

await Promise.all(process.argv.slice(2).map(openRoute));
process.stdout.write('ready\n');
process.stdin.on('end', () => process.exit(0)).resume();
