/**
 * A receiver behind a Classic Load Balancer and an Application Load Balancer, on one port: who may say what (docs/decisions/0015). A booted
 * machine, nginx, HAProxy and the script as the Command document carries it; each sender is a host of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FOR_MACHINES, requireLinuxAndRoot, requirePackages } from '../../rehearsal/host/packages.ts';
import { createRunDirectory, type RunDirectory, removeLeftovers } from '../../rehearsal/host/run-directory.ts';
import { prepareImage, RELEASES } from '../../rehearsal/machines/images.ts';
import { type StartedMachine, startMachine } from '../../rehearsal/machines/machine.ts';
import { ADDRESSES, createFabric } from '../../rehearsal/network/fabric.ts';
import { shippedScript } from '../../tools/build-documents.mjs';

const MACHINE = ADDRESSES.instance(0);
const SENDERS = { classic: '10.0.101.21', alb: '10.0.111.21', stranger: '10.0.1.200' } as const;
type Sender = keyof typeof SENDERS;
const SETTINGS = { InstancePorts: '80=http 81=https', TrustedCidrs: '10.0.101.0/24', AlbCidrs: '10.0.111.0/24' };

/** Says which headers of the client's address it was sent. */
const APPLICATION = `require('node:http').createServer(({ headers }, response) => response.end(JSON.stringify({
  for: headers['x-forwarded-for'] ?? 'nobody', real: headers['x-real-ip'] ?? 'nobody', trust: headers['x-client-address-trust'],
}))).listen(8000, '127.0.0.1', () => console.log('ready'));`;

const KEPT_CONNECTION = `const socket = require('node:net').connect(81, '${MACHINE}');
socket.on('data', (data) => process.stdout.write(data)).on('close', () => process.stdout.write('closed'));
process.stdin.on('data', () => socket.write('GET / HTTP/1.1\\r\\nHost: a\\r\\nX-Forwarded-For: 198.51.100.7\\r\\n\\r\\n'));`;

describe.each(RELEASES)('receiver on %s, beside an Application Load Balancer', (release) => {
  let run: RunDirectory;
  let machine: StartedMachine;
  let application: ChildProcess;
  const namespaces = new Map<Sender, string>();

  beforeAll(async () => {
    requireLinuxAndRoot();
    await requirePackages(FOR_MACHINES, console.log);
    await removeLeftovers();
    const image = await prepareImage(release, 'baked', console.log);
    run = await createRunDirectory();
    const fabric = await createFabric(run.runId);
    machine = await startMachine({ name: 'm0', fabric, privateIpAddress: MACHINE, image, directory: run.path });
    for (const [name, address] of Object.entries(SENDERS)) {
      namespaces.set(name as Sender, (await fabric.addHost(name, [address])).namespace);
    }
    application = spawn('ip', ['netns', 'exec', `pf${run.runId}-m0`, process.execPath, '-e', APPLICATION]);
    await once(application.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  }, 180_000);

  afterAll(async () => {
    application?.kill();
    await machine?.[Symbol.asyncDispose]();
    await run?.remove();
  }, 60_000);

  async function document(
    parameters: Record<string, string>,
    script = shippedScript('receiver.sh'),
  ): Promise<Record<string, unknown>> {
    const env = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`SSM_${name}`, value]));
    const { exitCode, stdout, stderr } = await machine.exec(
      ['bash', '-c', 'cat >/tmp/_script.sh && bash /tmp/_script.sh'],
      { env, stdin: script },
    );
    if (exitCode !== 0) throw new Error(stderr);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  }
  const setMode = (Mode: string, more: Record<string, string> = {}) =>
    document({ Operation: 'SetMode', Mode, ...SETTINGS, ...more });

  /** What the application was told, as `address, trust`; `refused` where the connection was closed without an answer. */
  async function told(sender: Sender, kind: 'plain' | 'line', forwarded: readonly string[]): Promise<string> {
    const child = spawn('ip', [
      ...['netns', 'exec', namespaces.get(sender) ?? '', 'curl', '--silent', '--max-time', '5'],
      ...(kind === 'line' ? ['--haproxy-protocol'] : []),
      ...forwarded.flatMap((value) => ['--header', `X-Forwarded-For: ${value}`]),
      ...['--header', 'X-Real-IP: 203.0.113.66', '--header', 'X-Client-Address-Trust: yes', `http://${MACHINE}:81/`],
    ]);
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    await once(child, 'close');
    if (out === '') return 'refused';
    const { for: address, real, trust } = JSON.parse(out);
    expect(real).toBe(address);
    return `${address}, ${trust}`;
  }

  // The client wrote the first address itself; the second is what an Application Load Balancer would have appended.
  const FORWARDED = ['203.0.113.66, 198.51.100.7'];
  test.each([
    {
      mode: 'plain',
      says: [
        ['classic', 'plain', '10.0.101.21, no'],
        ['alb', 'plain', '198.51.100.7, yes'],
        ['stranger', 'plain', '10.0.1.200, no'],
      ],
    },
    {
      mode: 'both',
      says: [
        ['classic', 'plain', '10.0.101.21, no'],
        ['classic', 'line', 'nobody, no'],
        ['alb', 'plain', '198.51.100.7, yes'],
        ['alb', 'line', 'nobody, no'],
        ['stranger', 'plain', '10.0.1.200, no'],
        ['stranger', 'line', 'nobody, no'],
      ],
    },
    {
      mode: 'proxy',
      says: [
        ['classic', 'plain', 'refused'],
        // curl's line claims its own address, which is nobody else's to be believed.
        ['classic', 'line', '10.0.101.21, yes'],
        ['alb', 'plain', '198.51.100.7, yes'],
        ['alb', 'line', 'nobody, no'],
        ['stranger', 'plain', 'refused'],
        ['stranger', 'line', '10.0.1.200, yes'],
      ],
    },
    { mode: 'both', says: [['alb', 'plain', '198.51.100.7, yes']] },
    { mode: 'plain', says: [['alb', 'plain', '198.51.100.7, yes']] },
  ] as const)(
    'in $mode each is trusted for what it says and no more',
    async ({ mode, says }) => {
      expect(await setMode(mode)).toMatchObject({ mode, ready: true });

      const answers = [];
      for (const [sender, kind] of says) answers.push([sender, kind, await told(sender, kind, FORWARDED)]);

      expect(answers).toEqual(says);
    },
    60_000,
  );

  test.each([
    { what: 'alone', sent: ['198.51.100.7'], address: '198.51.100.7' },
    { what: 'behind a forged line of the header', sent: ['203.0.113.66', '198.51.100.7'], address: '198.51.100.7' },
    { what: 'without a blank', sent: ['203.0.113.66,198.51.100.7'], address: '198.51.100.7' },
    { what: 'with the client port', sent: ['203.0.113.66, 198.51.100.7:50123'], address: '198.51.100.7' },
    { what: 'of IPv6', sent: ['203.0.113.66, 2001:db8::7'], address: '2001:db8::7' },
    { what: 'of IPv6 with the client port', sent: ['[2001:db8::7]:50123'], address: '2001:db8::7' },
    { what: 'that is missing', sent: [], address: 'nobody' },
    { what: 'that is no address', sent: ['198.51.100.7, unknown'], address: 'nobody' },
    { what: 'that is empty', sent: ['198.51.100.7, '], address: 'nobody' },
  ])('an entry $what: $address', async ({ sent, address }) => {
    expect(await told('alb', 'plain', sent)).toBe(`${address}, ${address === 'nobody' ? 'no' : 'yes'}`);
  });

  test.each([
    { what: 'the host flushes its nftables rules', how: 'nft flush ruleset' },
    { what: 'HAProxy is killed', how: 'kill -9 $(systemctl show --property=MainPID --value proxyflip-haproxy)' },
  ])(
    'in proxy, after $what, the ALB is served again by itself',
    async ({ how }) => {
      await setMode('proxy');

      await machine.exec(['bash', '-c', how]);

      const limit = Date.now() + 15_000;
      let seen = '';
      while (Date.now() < limit && seen !== '198.51.100.7, yes') {
        await sleep(200);
        seen = await told('alb', 'plain', FORWARDED);
      }
      expect(seen).toBe('198.51.100.7, yes');
    },
    60_000,
  );

  test('ranges that overlap are refused, and nothing is changed', async () => {
    const before = await machine.exec(['bash', '-c', 'cat /etc/proxyflip/receiver.env; nft list ruleset']);
    const wanted = { AlbCidrs: '10.0.96.0/20' };

    await expect(setMode('plain', wanted)).rejects.toThrow(
      'ERR_ALB_CIDRS: 10.0.96.0/20 of AlbCidrs overlaps 10.0.101.0/24',
    );
    const { problems } = await document({ Operation: 'Status', Mode: 'plain', ...SETTINGS, ...wanted });

    expect(problems).toEqual([expect.stringMatching(/^ERR_ALB_CIDRS /)]);
    expect(await machine.exec(['bash', '-c', 'cat /etc/proxyflip/receiver.env; nft list ruleset'])).toEqual(before);
  });

  /** A connection that is kept open, and sends a request for each line that it is told. */
  const keep = (sender: Sender): ChildProcess =>
    spawn('ip', [...['netns', 'exec', namespaces.get(sender) ?? '', process.execPath, '-e'], KEPT_CONNECTION]);
  async function ask(kept: ChildProcess): Promise<string> {
    kept.stdin?.write('\n');
    // The application's answer is one JSON object.
    for (let said = ''; ; ) {
      const [data] = await once(kept.stdout as NonNullable<ChildProcess['stdout']>, 'data');
      said += data;
      if (/[}]|closed/.test(said)) return said;
    }
  }

  test('an ALB keeps its connection over a reload of nginx and a change of mode', async () => {
    await setMode('both');
    const kept = keep('alb');
    expect(await ask(kept)).toMatch(/^HTTP\/1.1 200 /);

    await machine.exec(['systemctl', 'reload', 'nginx']);
    await sleep(500);
    expect(await ask(kept)).toMatch(/^HTTP\/1.1 200 /);
    await setMode('plain');
    expect(await ask(kept)).toMatch(/"for":"198.51.100.7"/);

    kept.kill();
  }, 60_000);

  test('Measure counts what is open by who opened it, and an ALB is not of the old kind', async () => {
    await setMode('both');
    const held = [keep('alb'), keep('alb'), keep('classic')];
    await Promise.all(held.map(ask));

    const { open, seen } = await document({ Operation: 'Measure' });

    for (const each of held) each.kill();
    expect(open).toEqual({ classic: 1, alb: 2 });
    const sources = (seen as [string, string, string][]).map(([, source]) => source);
    expect(sources).toContain('10.0.101.21');
    expect(sources).not.toContain('10.0.111.21');
  }, 60_000);

  test('an instance that comes later knows the ALB from the association', async () => {
    await setMode('plain');
    await document({ Operation: 'Uninstall' });
    const joining = `proxy; ${SETTINGS.InstancePorts}; ${SETTINGS.TrustedCidrs}`;

    const joined = await document(
      { Operation: 'Join', AlbCidrs: SETTINGS.AlbCidrs },
      shippedScript('receiver.sh').replace('{{ Joining }}', () => joining),
    );

    expect(joined).toMatchObject({ mode: 'proxy', before: 'none', ready: true });
    expect(await told('alb', 'plain', FORWARDED)).toBe('198.51.100.7, yes');
    expect(await told('classic', 'plain', FORWARDED)).toBe('refused');
  }, 60_000);

  test('without AlbCidrs again, an ALB is anybody', async () => {
    expect(await setMode('plain', { AlbCidrs: '' })).toMatchObject({ changed: true });
    expect(await told('alb', 'plain', FORWARDED)).toBe('10.0.111.21, no');

    await setMode('proxy', { AlbCidrs: '' });
    expect(await told('alb', 'plain', FORWARDED)).toBe('refused');
    await setMode('plain', { AlbCidrs: '' });
  }, 60_000);
});
