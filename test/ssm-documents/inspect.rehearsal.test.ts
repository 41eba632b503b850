/** What the read-only Command document says of a booted machine, as it is built; and that it leaves nothing behind. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { parseReceiver, type Receiver } from '../../functions/drift-check/receiver.ts';
import { RELEASES } from '../../rehearsal/machines/images.ts';
import { ADDRESSES } from '../../rehearsal/network/fabric.ts';
import { BareMachine, BOOT_LIMIT_MS } from '../bare-machine.ts';

const MACHINE = ADDRESSES.instance(0);
const NEIGHBOUR = ADDRESSES.instance(1);
/** SetMode tests, reloads and probes; on a busy machine that takes seconds. */
jest.setTimeout(60_000);

const CIDRS = '10.0.101.0/24';

describe.each(RELEASES)('inspect on %s', (release) => {
  let bare: BareMachine;
  let neighbour: string;

  beforeAll(async () => {
    bare = await BareMachine.boot(release);
    neighbour = (await bare.fabric.addHost('neighbour', [NEIGHBOUR])).namespace;
  }, BOOT_LIMIT_MS);

  afterAll(() => bare?.[Symbol.asyncDispose](), 60_000);

  async function inspect(since = '0'): Promise<Receiver> {
    const stdout = await bare.runScript('inspect.sh', { Since: since });
    expect(stdout.length).toBeLessThanOrEqual(2500);
    const answer = parseReceiver(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
    if (answer === undefined) throw new Error(`not an answer that the check takes: ${stdout}`);
    return answer;
  }

  const setMode = (Mode: string) =>
    bare.runScript('receiver.sh', {
      Operation: 'SetMode',
      Mode,
      InstancePorts: '80=http 81=https',
      TrustedCidrs: CIDRS,
    });
  const shell = (text: string) => bare.shell(text);

  /** From another host of the instances' network. */
  const call = (...args: string[]): void => {
    spawnSync('ip', ['netns', 'exec', neighbour, 'curl', '--silent', '--max-time', '3', ...args]);
  };

  test('an instance that nobody prepared', async () => {
    expect(await inspect()).toMatchObject({ mode: 'none', ports: '', live: {}, chat: 'absent' });
  });

  test.each([
    ['plain', 'plain', false],
    ['both', 'both', true],
    ['proxy', 'proxy', false],
  ])('mode %s: takes %s, and nothing differs', async (mode, takes, rule) => {
    await setMode(mode);

    expect(await inspect()).toMatchObject({
      mode,
      ports: '80=http 81=https',
      cidrs: CIDRS,
      healthPort: '8078',
      health: 200,
      nginx: { active: true },
      haproxy: { active: true },
      rule,
      live: { 80: takes, 81: takes },
      files: [],
      log: { proxied: 0, broken: 0, brokenFrom: [], checkers: false },
    });
  });

  test('looks without leaving a trace: no file, no line in a log, no process', async () => {
    const trace = () =>
      shell(
        'find /etc /var/lib/proxyflip /usr/local /run/proxyflip /run/proxyflip-health -type f -printf "%p %T@\\n" | sort | sha256sum; cat /var/log/nginx/*.log | wc -l; nft list ruleset | sha256sum',
      );
    // It writes anew when the receiver was last ready.
    await shell('systemctl stop proxyflip-assert.timer');
    const before = await trace();
    for (let times = 0; times < 5; times += 1) await inspect();

    expect(await trace()).toBe(before);
    await shell('systemctl start proxyflip-assert.timer');
  });

  test.each([
    ['nothing', 'true', true],
    [
      'the page that says ready taken away',
      'systemctl stop proxyflip-assert.timer; rm /run/proxyflip-health/ready',
      false,
    ],
    ['HAProxy stopped', 'systemctl stop proxyflip-haproxy', false],
    ['the rule of another mode left', 'nft add table ip proxyflip', false],
  ])('what was done to a receiver, %s, is seen, and SetMode mends it', async (_what, deed, intact) => {
    await setMode('proxy');
    await shell(deed);
    const status = async () =>
      JSON.parse(
        (
          await bare.runScript('receiver.sh', {
            Operation: 'Status',
            InstancePorts: '80=http 81=https',
            TrustedCidrs: CIDRS,
          })
        ).trim(),
      );

    expect(await status()).toMatchObject({ mode: 'proxy', intact });
    await setMode('proxy');
    expect(await status()).toMatchObject({ mode: 'proxy', intact: true });
  });

  test('other settings than those that are wanted are not intact', async () => {
    const asked = { Operation: 'Status', InstancePorts: '80=http 81=https', TrustedCidrs: '10.0.0.0/8' };

    expect(JSON.parse((await bare.runScript('receiver.sh', asked)).trim())).toMatchObject({ intact: false });
  });

  test('waits for a run that is changing something, and says so when that takes too long', async () => {
    const held = bare.machine.exec(['flock', '/run/proxyflip.lock', 'sleep', '2']);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const began = Date.now();
    await inspect();
    await held;

    expect(Date.now() - began).toBeGreaterThan(1000);
  });

  test('files that were changed, deleted and added, and whose they are', async () => {
    await shell(`sed -i '1i # MANAGED BY PUPPET' /etc/nginx/proxyflip/listen/80.conf
      rm /etc/nginx/proxyflip/listen/81-other.conf
      echo '# "by hand"' >'/etc/nginx/proxyflip/vhosts/x"y.conf'`);
    const { files } = await inspect();

    expect(files).toEqual([
      { path: '/etc/nginx/proxyflip/listen/80.conf', how: 'changed', since: expect.any(Number), manager: 'Puppet' },
      { path: '/etc/nginx/proxyflip/listen/81-other.conf', how: 'missing', since: 0, manager: '' },
      { path: '/etc/nginx/proxyflip/vhosts/x?y.conf', how: 'added', since: expect.any(Number), manager: '' },
    ]);
    expect(JSON.parse((await bare.runScript('receiver.sh', { Operation: 'Status' })).trim())).toMatchObject({
      intact: false,
    });
    await shell('rm /etc/nginx/proxyflip/vhosts/x*');
    await setMode('proxy');
    expect((await inspect()).files).toEqual([]);
  });

  test('more files than there is room for are counted', async () => {
    await shell(
      'for n in $(seq 40); do touch /etc/nginx/proxyflip/vhosts/a-name-that-is-rather-long-for-a-file-$n.txt; done',
    );
    const { files, omitted } = await inspect();
    await shell('rm /etc/nginx/proxyflip/vhosts/a-name*');

    expect([files?.length, omitted]).toEqual([8, 32]);
  });

  test('what nginx takes, not what its files say', async () => {
    await shell("sed -i '/^listen .*81/s/ proxy_protocol;/;/' /etc/nginx/proxyflip/listen/81.conf");
    expect((await inspect()).live).toEqual({ 80: 'proxy', 81: 'proxy' });
    await shell('nginx -s reload && sleep 1');
    expect((await inspect()).live).toEqual({ 80: 'proxy', 81: 'plain' });
    await setMode('proxy');
    expect((await inspect()).live).toEqual({ 80: 'proxy', 81: 'proxy' });
  });

  test('connections that were dropped, since when it was asked for, by whom; its own do not count', async () => {
    await shell('sleep 1.1');
    const since = await shell('date +%s');
    call('--user-agent', 'ELB-HealthChecker/2.0', `http://${MACHINE}:81/`);
    call(`http://${MACHINE}:80/%22%20while%20reading%20PROXY%20protocol,%20client:%201.2.3.4,%20server:%20x`);
    await shell(`curl --silent --max-time 2 http://${MACHINE}:80/`);
    const { log } = await inspect(since);

    expect(log).toMatchObject({ broken: 2, brokenFrom: [NEIGHBOUR] });
    expect(log.lastBroken).toBeGreaterThanOrEqual(Number(since));
    // From 1.23.2 on nginx logs the request's first line alone.
    expect(log.checkers).toBe(release === 'bookworm');
    expect((await inspect(String(Number(await shell('date +%s')) + 1))).log.broken).toBe(0);
  });

  test('lines too many, of all requests', async () => {
    await shell('sleep 1.1');
    const since = await shell('date +%s');
    call('--haproxy-protocol', '--request-target', '/', `http://${MACHINE}:80/`);
    await setMode('plain');
    call('--haproxy-protocol', `http://${MACHINE}:80/`);
    call(`http://${MACHINE}:80/`);
    const { log } = await inspect(since);
    await setMode('proxy');

    expect(log).toMatchObject({ requests: 3, proxied: 1 });
    expect(log.lastProxied).toBeGreaterThanOrEqual(Number(since));
  });

  test('programs that are dead, since when', async () => {
    const stoppedAt = Number(await shell('date +%s'));
    await shell('systemctl stop proxyflip-assert.timer nginx proxyflip-haproxy');
    const dead = await inspect();
    await setMode('proxy');

    expect(dead).toMatchObject({
      nginx: { active: false },
      haproxy: { active: false },
      health: 0,
      live: { 80: 'none' },
    });
    expect(dead.nginx.since).toBeGreaterThanOrEqual(stoppedAt);
    expect(await inspect()).toMatchObject({ nginx: { active: true }, haproxy: { active: true }, health: 200 });
  });

  test.each([
    ['an agent that hands no parameter over', {}, 'ERR_AGENT_TOO_OLD'],
    ['a time that is none', { Since: '1; id' }, 'ERR_INVALID_PARAMETER'],
  ])('refuses %s', async (_desc, parameters, code) => {
    await expect(bare.runScript('inspect.sh', parameters)).rejects.toThrow(code);
  });
});
