/**
 * A client on the internet: run in a network namespace by data-plane.rehearsal.test.ts, driven by JSON lines.
 *
 *   {id, get: [url, headers], keep}   one request, on a connection of its own or on the one kept under that name; answers {id, status, headers, body} or {id, error}
 *   {id, upgrade: [url, headers]}     answers {id, status, line}: the first line that comes after the upgrade
 *   {id, say: upgrade}                says something on the connection that the `upgrade` with this id made; answers {id, line}
 *   {id, burst: [url, ms]}            one request after the other, each on a new connection, for that long; answers counts by instance, status or error
 *   {id, close: upgrade}              ends that connection
 * Unasked: {closed: upgrade, at}.
 */
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { createInterface } from 'node:readline';

const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const upgraded = new Map();
const kept = new Map();
const tls = { ca: process.env.CERTIFICATE, servername: 'web-1.eu-central-1.elb.amazonaws.com' };

function agentOf(keep, isSecure) {
  if (keep === undefined) return false;
  const { Agent } = isSecure ? https : http;
  if (!kept.has(keep)) kept.set(keep, new Agent({ keepAlive: true, maxSockets: 1 }));
  return kept.get(keep);
}

function request(url, headers, agent) {
  const isSecure = url.startsWith('https:');
  return (isSecure ? https : http).request(url, { headers, agent, ...(isSecure ? tls : {}) });
}

function get([url, headers = {}], keep) {
  return new Promise((resolve) => {
    const sent = request(url, headers, agentOf(keep, url.startsWith('https:')));
    sent.on('error', (error) => resolve({ error: error.code ?? error.message }));
    sent.on('response', (response) => {
      let body = '';
      response.on('data', (data) => {
        body += data;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    sent.end();
  });
}

const nextLine = (socket) =>
  new Promise((resolve) => {
    let text = '';
    const onData = (data) => {
      text += data;
      if (!text.includes('\n')) return;
      socket.off('data', onData);
      resolve(text.trim());
    };
    socket.on('data', onData);
    socket.once('close', () => resolve('closed'));
  });

function upgrade(id, [url, headers = {}]) {
  return new Promise((resolve) => {
    // HAProxy refuses an upgrade to a WebSocket that has no key.
    const key = randomBytes(16).toString('base64');
    const asked = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': 13,
      'sec-websocket-key': key,
    };
    const sent = request(url, { ...headers, ...asked }, false);
    sent.on('error', (error) => resolve({ error: error.code ?? error.message }));
    sent.on('response', ({ statusCode }) => resolve({ status: statusCode }));
    sent.on('upgrade', async ({ statusCode, headers: answered }, socket, head) => {
      upgraded.set(id, socket);
      socket.on('error', () => {});
      socket.once('close', () => tell({ closed: id, at: Date.now() }));
      const line = head.includes('\n') ? head.toString().trim() : await nextLine(socket);
      resolve({ status: statusCode, headers: answered, line });
    });
    sent.end();
  });
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, get: target, keep, upgrade: wanted, say, close, burst } = JSON.parse(line);
  if (target !== undefined) tell({ id, ...(await get(target, keep)) });
  else if (wanted !== undefined) tell({ id, ...(await upgrade(id, wanted)) });
  else if (say !== undefined) {
    const socket = upgraded.get(say);
    const answer = nextLine(socket);
    socket.write('hello\n');
    tell({ id, line: await answer });
  } else if (close !== undefined) {
    upgraded.get(close).destroy();
    tell({ id });
  } else if (burst !== undefined) {
    const [url, ms] = burst;
    const counts = {};
    for (const end = Date.now() + ms; Date.now() < end; ) {
      const { status, error, body } = await get([url]);
      const key = status === 200 ? JSON.parse(body).instance : (error ?? status);
      counts[key] = (counts[key] ?? 0) + 1;
    }
    tell({ id, counts });
  }
});
tell({ ready: true });
