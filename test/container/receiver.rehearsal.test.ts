/** The receiver's image as its compose file starts it, in front of the application of the same file. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Container, PEERS, type Peer, Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
  await stage.startBackend();
}, 200_000);

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
}, 60_000);

const REQUEST = 'GET /?x=1 HTTP/1.1\r\nHost: chat.example\r\nX-Real-IP: 203.0.113.1\r\nConnection: close\r\n\r\n';
const LINE = 'PROXY TCP4 198.51.100.7 10.0.101.21 40000 443\r\n';

const statusOf = (received: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1]);
const told = (received: string) => JSON.parse(received.slice(received.indexOf('{'), received.lastIndexOf('}') + 1));

describe('what cannot work stops the start and names itself', () => {
  test.each([
    ['LISTEN_ON', '99999', "LISTEN_ON has the value '99999'; it takes a port"],
    ['LISTEN_ON', '444', "LISTEN_ON_TLS has the value '444'; it takes another port than LISTEN_ON and HEALTH_PORT"],
    ['LISTEN_ON_TLS', '', "LISTEN_ON_TLS has the value ''; it takes a port"],
    ['HEALTH_PORT', '80', "HEALTH_PORT has the value '80'; it takes a port from 1024"],
    ['DESTINATION_HOSTNAME', 'a; b', "DESTINATION_HOSTNAME has the value 'a; b'; it takes the application's host name"],
    ['DESTINATION_PORT', '0', "DESTINATION_PORT has the value '0'; it takes a port"],
    ['RECEIVER_MODE', 'maybe', "RECEIVER_MODE has the value 'maybe'; it takes plain, both or proxy"],
    ['TRUSTED_CIDRS', '10.0.0.0/33', "TRUSTED_CIDRS has the value '10.0.0.0/33'; it takes IPv4 ranges"],
    ['WS_IDLE_SECONDS', '4061', "WS_IDLE_SECONDS has the value '4061'; it takes seconds, from 1 to 4060"],
  ])('%s=%s', async (name, value, says) => {
    const container = await stage.startReceiver({ [name]: value });

    expect(await container.ended).toBe(1);
    expect(container.stderr).toContain(`proxyflip: ERR_SETTING: ${says}`);
  });

  test('mode proxy that would believe nobody', async () => {
    const container = await stage.startReceiver({ RECEIVER_MODE: 'proxy', TRUSTED_CIDRS: '' });

    expect(await container.ended).toBe(1);
    expect(container.stderr).toContain("ERR_SETTING: TRUSTED_CIDRS has the value ''");
  });

  test('a port below 1024 with no-new-privileges', async () => {
    const container = await stage.startReceiver({}, { more: ['--security-opt=no-new-privileges'] });

    expect(await container.ended).toBe(1);
    expect(container.stderr).toContain('ERR_LOW_PORT: port 81 may not be listened on; add the capability');
  });

  test('nowhere to write', async () => {
    const container = await stage.startReceiver({}, { volume: await stage.volume(0) });

    expect(await container.ended).toBe(1);
    expect(container.stderr).toContain('ERR_READ_ONLY: /run/proxyflip cannot be written by user 180');
  });
});

describe('what a connection becomes', () => {
  let container: Container;
  beforeAll(async () => {
    container = await stage.startReadyReceiver();
  }, 30_000);
  afterAll(() => container.kill());

  interface Case {
    readonly mode: 'plain' | 'both' | 'proxy';
    readonly from: Peer;
    readonly what: string;
    readonly parts: readonly (string | number)[];
    /** The answer's status; undefined: none at all. */
    readonly status?: number;
    readonly address?: string | null;
    readonly trusted?: boolean;
  }
  const cases: Case[] = [
    {
      mode: 'plain',
      from: 'node',
      what: 'no line',
      parts: [REQUEST],
      status: 200,
      address: PEERS.node,
      trusted: false,
    },
    { mode: 'plain', from: 'node', what: 'a line', parts: [LINE + REQUEST], status: 400 },
    { mode: 'both', from: 'node', what: 'no line', parts: [REQUEST], status: 200, address: PEERS.node, trusted: false },
    { mode: 'both', from: 'node', what: 'a line', parts: [LINE + REQUEST], status: 200, address: null, trusted: false },
    {
      mode: 'both',
      from: 'node',
      what: 'a line in pieces',
      parts: [LINE.slice(0, 3), 200, LINE.slice(3, 20), 200, LINE.slice(20) + REQUEST],
      status: 200,
      address: null,
      trusted: false,
    },
    { mode: 'both', from: 'node', what: 'two lines', parts: [LINE + LINE + REQUEST], status: 400 },
    { mode: 'proxy', from: 'node', what: 'no line', parts: [REQUEST] },
    {
      mode: 'proxy',
      from: 'node',
      what: 'a line',
      parts: [LINE + REQUEST],
      status: 200,
      address: '198.51.100.7',
      trusted: true,
    },
    { mode: 'proxy', from: 'node', what: 'two lines', parts: [LINE + LINE + REQUEST], status: 400 },
    // What a node says of its own health check names the node itself, and UNKNOWN names nobody.
    {
      mode: 'proxy',
      from: 'node',
      what: 'a line that names the node',
      parts: [`PROXY TCP4 ${PEERS.node} ${PEERS.node} 1 81\r\n${REQUEST}`],
      status: 200,
      address: PEERS.node,
      trusted: false,
    },
    {
      mode: 'proxy',
      from: 'node',
      what: 'UNKNOWN',
      parts: [`PROXY UNKNOWN\r\n${REQUEST}`],
      status: 200,
      address: PEERS.node,
      trusted: false,
    },
    {
      mode: 'proxy',
      from: 'stranger',
      what: 'a line of a peer that is not trusted',
      parts: [LINE + REQUEST],
      status: 200,
      address: PEERS.stranger,
      trusted: false,
    },
  ];

  test.each(cases)('$mode, $from, $what', async ({ mode, from, parts, status, address, trusted }) => {
    expect(await container.exec('receiver', 'mode', mode)).toMatchObject({ exitCode: 0 });

    const { received } = await stage.connect(from, 444, parts);

    expect(received === '' ? undefined : statusOf(received)).toBe(status);
    if (status === 200) expect(told(received)).toMatchObject({ address, trusted, scheme: 'https' });
  });

  test('the plain port redirects, and the access log names client and peer', async () => {
    await container.exec('receiver', 'mode', 'proxy');

    const { received } = await stage.connect('node', 81, [LINE + REQUEST]);

    expect(received).toContain('Location: https://chat.example/?x=1');
    const line = JSON.parse(container.stdout.trim().split('\n').at(-1) ?? '');
    expect(line).toMatchObject({ client: '198.51.100.7', peer: PEERS.node, trust: 'yes', port: '81', status: 301 });
  });

  test('a connection without a line is told of on standard error in mode proxy', async () => {
    await stage.connect('stranger', 444, [REQUEST]);

    expect(container.stderr).toMatch(new RegExp(`${PEERS.stranger}:\\d+ .*not look like a PROXY protocol header`));
  });

  test('a WebSocket passes', async () => {
    const upgrade = [
      ...['GET /any/path HTTP/1.1', 'Host: chat.example', 'Connection: Upgrade', 'Upgrade: websocket'],
      ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''],
    ].join('\r\n');

    const { received, ended } = await stage.connect('node', 444, [LINE + upgrade]);

    expect(statusOf(received)).toBe(101);
    expect(received).toContain('"address": "198.51.100.7"');
    expect(ended).toBe('open');
  }, 15_000);

  test('the health port answers in every mode, without a line', async () => {
    for (const mode of ['plain', 'both', 'proxy']) {
      await container.exec('receiver', 'mode', mode);
      const { received } = await stage.connect('node', 8078, [REQUEST.replace('/?x=1', '/healthz')]);
      expect(statusOf(received)).toBe(200);
    }
  });

  test('nothing in it is root, and nothing but /tmp and the volume can be written', async () => {
    const { stdout } = await container.exec('sh', '-c', 'cat /proc/[0-9]*/status | grep ^Uid; touch /etc/x || true');

    const users = stdout.trim().split('\n');
    expect(users.length).toBeGreaterThan(5);
    expect(users.filter((line) => !/^Uid:\s180\s180\s180\s180$/.test(line))).toEqual([]);
    expect((await container.exec('touch', '/etc/x')).stderr).toContain('Read-only file system');
  });

  test('a mode that is none is refused, and nothing changes', async () => {
    await container.exec('receiver', 'mode', 'both');

    expect(await container.exec('receiver', 'mode', 'strict')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("ERR_INVALID_PARAMETER: mode has the value 'strict'"),
    });
    expect(await container.exec('receiver', 'mode', 'plain', '--quiet', '5')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('only proxy has one'),
    });
    expect(JSON.parse((await container.exec('receiver', 'mode')).stdout)).toMatchObject({ mode: 'both' });
  });

  test('mode proxy --quiet waits until nothing has come without a line', async () => {
    await container.exec('receiver', 'mode', 'both');
    const began = Date.now();
    const taken = container.exec('receiver', 'mode', 'proxy', '--quiet', '3');
    await stage.connect('node', 444, [1_500, REQUEST]);
    const lastPlain = Date.now();

    expect(JSON.parse((await taken).stdout)).toMatchObject({ mode: 'proxy', before: 'both', changed: true });
    expect(Date.now() - lastPlain).toBeGreaterThan(2_000);
    expect(lastPlain - began).toBeGreaterThan(1_000);
  }, 20_000);
});

describe('its life', () => {
  test('SIGTERM: a request under way is answered, nothing new is taken, status 0', async () => {
    const container = await stage.startReadyReceiver();
    const slow = stage.connect('node', 444, [REQUEST.replace('/?x=1', '/?wait=3')]);
    const idle = stage.connect('node', 444, [REQUEST.replace('close', 'keep-alive')]);
    await sleep(500);

    await container.signal('TERM');
    await sleep(300);
    const late = await stage.connect('node', 444, [REQUEST]);

    expect(statusOf((await slow).received)).toBe(200);
    expect(await idle).toMatchObject({ ended: 'closed' });
    expect(late).toMatchObject({ ended: 'refused' });
    expect(await container.ended).toBe(0);
    expect(container.stderr).toContain('nothing new is taken');
  }, 30_000);

  test.each(['nginx', 'haproxy'])(
    'when %s dies the container ends and says so',
    async (program) => {
      const container = await stage.startReadyReceiver();

      await container.exec('bash', '-c', kill(program));

      expect(await container.ended).toBe(1);
      expect(container.stderr).toMatch(/ERR_DAEMON: (nginx|HAProxy) has ended with status 137/);
    },
    30_000,
  );

  test('orphans are reaped', async () => {
    const container = await stage.startReadyReceiver();

    await container.exec('bash', '-c', '(sleep 0.2 &) ; exit 0');
    await sleep(600);
    const { stdout } = await container.exec('bash', '-c', 'grep -h ^State: /proc/[0-9]*/status');

    expect(stdout).toContain('S (sleeping)');
    expect(stdout).not.toContain('Z (zombie)');
    await container.kill();
  }, 30_000);

  test('a destination that has moved is followed', async () => {
    const hosts = path.join(await stage.volume(), 'hosts');
    await writeFile(hosts, '127.0.0.9 backend\n');
    const container = await stage.startReadyReceiver({}, { more: [`--volume=${hosts}:/etc/hosts`] });

    await writeFile(hosts, '127.0.0.1 backend\n');
    while (!container.stderr.includes('backend was 127.0.0.9 and is 127.0.0.1 now')) await sleep(100);
    await sleep(500);

    expect((await container.exec('cat', '/run/proxyflip/nginx/proxyflip/upstreams.conf')).stdout).toContain(
      'server 127.0.0.1:8080;',
    );
    expect(statusOf((await stage.connect('node', 444, [REQUEST])).received)).toBe(200);
    await container.kill();
  }, 30_000);

  test('killed in the middle of a switch, it comes back in the mode that it was in', async () => {
    const volume = await stage.volume();
    const first = await stage.startReadyReceiver({}, { volume });
    await first.exec('receiver', 'mode', 'both');
    await first.kill();

    const second = await stage.startReadyReceiver({}, { volume });
    const { received } = await stage.connect('node', 444, [LINE + REQUEST]);
    expect(statusOf(received)).toBe(200);
    await second.kill();

    // A new value of the variable is a new wish.
    const third = await stage.startReadyReceiver({ RECEIVER_MODE: 'proxy' }, { volume });
    expect(JSON.parse((await third.exec('receiver', 'mode')).stdout)).toMatchObject({ mode: 'proxy' });
    await third.kill();
  }, 30_000);
});

/** There is no pkill in the image. */
const kill = (program: string): string =>
  `for p in /proc/[0-9]*; do read -r name <$p/comm; if [ "$name" = ${program} ]; then kill -KILL "\${p#/proc/}"; exit; fi; done`;
