import { afterEach, describe, expect, test } from '@jest/globals';
import { ClientConnection, type Listener, TlsClient } from '../../../rehearsal/traffic/exchange.ts';
import { CHAT } from './certificates.ts';
import { answer, type OnRequest, REDIRECT, type StartedServer, serveRaw } from './servers.ts';

const started: StartedServer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

const REQUEST = 'GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n';

async function exchangeWith(onRequest: OnRequest, options: Parameters<typeof serveRaw>[1] = {}) {
  const server = await serveRaw(onRequest, options);
  started.push(server);
  const listener: Listener = options.tls ? 'tls' : 'plain';
  const connection = open(listener, server.port);
  const exchange = await connection.exchange(REQUEST, 300);
  connection.close();
  return exchange;
}

function open(listener: Listener, port: number, source = '127.0.0.9') {
  const tls = new TlsClient({ servername: CHAT.servername, ca: CHAT.cert });
  return new ClientConnection({ listener, target: '127.0.0.1', port, source }, tls);
}

describe('a connection that fails', () => {
  test.each<[string, OnRequest, Parameters<typeof serveRaw>[1], string, number]>([
    ['closed before any byte', (socket) => socket.end(), {}, 'closed', 0],
    ['closed within the answer', (socket) => socket.end('HTTP/1.1 200'), {}, 'truncated', 12],
    ['reset before any byte', (socket) => socket.resetAndDestroy(), {}, 'reset', 0],
    ['never answered', () => {}, {}, 'timeout', 0],
    ['answered with something else than HTTP', (socket) => socket.write('220 hello\r\n'), {}, 'bad-answer', 11],
    ['closed at once', () => {}, { onConnection: (socket) => void socket.end() }, 'closed', 0],
    ['TLS: closed before any byte', (socket) => socket.end(), { tls: 'chat' }, 'closed', 0],
    ['TLS: cut off before any byte', (socket) => socket.destroy(), { tls: 'chat' }, 'closed', 0],
    ["TLS: somebody else's certificate", (socket) => socket.end(REDIRECT), { tls: 'other' }, 'tls', 0],
  ])('%s', async (_, onRequest, options, failure, bytes) => {
    expect(await exchangeWith(onRequest, options)).toMatchObject({ kind: 'failure', failure, bytes });
  });

  test('a plain server behind the TLS port is a TLS failure', async () => {
    const server = await serveRaw(() => {}, { onConnection: (socket) => void socket.end(answer(400, '')) });
    started.push(server);

    expect(await open('tls', server.port).exchange(REQUEST, 300)).toMatchObject({ failure: 'tls' });
  });

  test('nobody listens', async () => {
    const server = await serveRaw(() => {});
    await server.stop();

    expect(await open('plain', server.port).exchange(REQUEST, 300)).toMatchObject({ failure: 'refused' });
  });

  test('a source address that this host does not have is the own fault of this side', async () => {
    const server = await serveRaw(() => {});
    started.push(server);

    const exchange = await open('plain', server.port, '198.51.100.1').exchange(REQUEST, 300);

    expect(exchange).toMatchObject({ failure: 'local' });
  });
});

describe('a connection that is kept', () => {
  test('knows that the server closed it while idle', async () => {
    const server = await serveRaw((socket) => {
      socket.write(REDIRECT);
      setTimeout(() => socket.end(), 10);
    });
    started.push(server);
    const connection = open('plain', server.port);

    const first = await connection.exchange(REQUEST, 300);
    await new Promise((resolve) => setTimeout(resolve, 60));

    expect(first.kind).toBe('answer');
    expect(connection.isOpen).toBe(false);
  });

  test('takes bytes beyond an answer as a failure of the next', async () => {
    const server = await serveRaw((socket) => void socket.write(`${REDIRECT}HTTP/1.1 200 OK\r\n`));
    started.push(server);
    const connection = open('plain', server.port);

    const first = await connection.exchange(REQUEST, 300);
    const second = await connection.exchange(REQUEST, 300);
    connection.close();

    expect(first.kind).toBe('answer');
    expect(second).toMatchObject({ failure: 'bad-answer' });
  });

  test('connects from the source that it was given', async () => {
    const server = await serveRaw((socket) => void socket.end(REDIRECT));
    started.push(server);

    await open('plain', server.port, '127.0.0.77').exchange(REQUEST, 300);

    expect([...server.peers]).toEqual(['127.0.0.77']);
  });
});
