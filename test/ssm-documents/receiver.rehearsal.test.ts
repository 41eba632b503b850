/**
 * The instance's side alone: a booted machine, nginx, HAProxy and the script as the Command document carries it, under
 * connections of both kinds. No load balancer and no Systems Manager.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RELEASES } from '../../rehearsal/machines/images.ts';
import { ADDRESSES } from '../../rehearsal/network/fabric.ts';
import { ROOT } from '../../rehearsal/paths.ts';
import { shippedScript } from '../../tools/build-documents.mjs';
import { BareMachine, BOOT_LIMIT_MS } from '../bare-machine.ts';
import { commandBlocks, readPage } from '../docs/markdown.ts';

interface ClientCounts {
  readonly plain: number;
  readonly proxy: number;
  readonly failed: number;
  readonly failures: Record<string, number>;
  readonly held: readonly { kind: string; open: boolean; sent: number; echoed: number }[];
}

const MACHINE = ADDRESSES.instance(0);
const CLIENTS = ADDRESSES.client(0);
/** Shell that puts a program of this name before all others. */
const program = (name: string, body: string): string =>
  `printf '#!/bin/sh\n%s\n' '${body}' >/usr/local/sbin/${name} && chmod 755 /usr/local/sbin/${name}`;
const PORTS = { InstancePorts: '80=http 81=https', TrustedCidrs: '198.51.100.0/24' };

describe.each(RELEASES)('receiver on %s', (release) => {
  let bare: BareMachine;
  let clientsNamespace: string;

  beforeAll(async () => {
    bare = await BareMachine.boot(release);
    clientsNamespace = (await bare.fabric.addHost('clients', [CLIENTS])).namespace;
  }, BOOT_LIMIT_MS);

  afterAll(() => bare?.[Symbol.asyncDispose](), 60_000);

  /** The JSON of its last line. */
  async function document(
    parameters: Record<string, string>,
    script = shippedScript('receiver.sh'),
  ): Promise<Record<string, unknown>> {
    const stdout = await bare.runScript('receiver.sh', parameters, script);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  }
  const join = (joining: string) =>
    document(
      { Operation: 'Join' },
      shippedScript('receiver.sh').replace('{{ Joining }}', () => joining),
    );
  const setMode = (Mode: string) => document({ Operation: 'SetMode', Mode, ...PORTS });

  /** The status of a request from the clients' namespace; 000 where none came. */
  const status = (port: number, kind: 'plain' | 'proxy') =>
    clientsCurl(
      '--output',
      '/dev/null',
      '--write-out',
      '%{http_code}',
      ...(kind === 'proxy' ? ['--haproxy-protocol'] : []),
      `http://${MACHINE}:${port}/`,
    );

  async function clientsCurl(...args: string[]): Promise<string> {
    const child = spawn('ip', ['netns', 'exec', clientsNamespace, 'curl', '--silent', '--max-time', '5', ...args]);
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    await once(child, 'close');
    return out;
  }

  const shell = (text: string) => bare.shell(text);

  test('plain → both → proxy → both → plain under connections of both kinds: 0 failed, no open connection lost', async () => {
    expect(await setMode('plain')).toMatchObject({ mode: 'plain', before: 'none', ready: true });
    const application = spawn(
      'ip',
      ['netns', 'exec', bare.namespace, process.execPath, path.join(ROOT, 'test/ssm-documents/echo-application.mjs')],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    await once(application.stdout as NonNullable<ChildProcess['stdout']>, 'data');
    const clients = spawn(
      'ip',
      [
        'netns',
        'exec',
        clientsNamespace,
        process.execPath,
        path.join(ROOT, 'test/ssm-documents/mixed-clients.mjs'),
        MACHINE,
        '80',
        '81',
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const answers = createInterface({ input: clients.stdout })[Symbol.asyncIterator]();
    const tell = async (command: string): Promise<ClientCounts> => {
      clients.stdin.write(`${command}\n`);
      return JSON.parse(String((await answers.next()).value));
    };

    await tell('kinds plain');
    await tell('hold plain 10');
    await sleep(2000);
    expect(await setMode('both')).toMatchObject({ mode: 'both', before: 'plain', changed: true });
    await tell('kinds plain,proxy');
    await tell('hold proxy 10');
    await tell('hold plain 10');
    await sleep(3000);
    await tell('kinds proxy');
    expect(await setMode('proxy')).toMatchObject({ mode: 'proxy', before: 'both' });
    await tell('hold proxy 10');
    await sleep(2000);
    expect(await setMode('both')).toMatchObject({ mode: 'both', before: 'proxy' });
    await tell('kinds plain,proxy');
    await sleep(3000);
    await tell('kinds plain');
    expect(await setMode('plain')).toMatchObject({ mode: 'plain', before: 'both' });
    await sleep(2000);
    const counts = await tell('stop');
    application.stdin?.end();

    expect(counts.failures).toEqual({});
    expect(counts.plain).toBeGreaterThan(1000);
    expect(counts.proxy).toBeGreaterThan(1000);
    expect(counts.held).toHaveLength(40);
    expect(counts.held.filter((each) => !each.open)).toEqual([]);
    expect(counts.held.filter((each) => each.echoed !== each.sent || each.sent === 0)).toEqual([]);
    console.log(
      `${release}: ${counts.plain} plain and ${counts.proxy} PROXY requests, ${counts.failed} failed; ${counts.held.length} connections held`,
    );
    // Nobody was told the claimed address while the port took either kind; in `proxy` it is the load balancer's word.
    const told = await shell(
      `grep -c '"client":"203.0.113.9".*"trust":"no"' /var/log/nginx/proxyflip.access.log || true`,
    );
    expect(told).toBe('0');
    const believed = await shell(
      `grep -c '"client":"203.0.113.9".*"trust":"yes","via":"direct"' /var/log/nginx/proxyflip.access.log`,
    );
    expect(Number(believed)).toBeGreaterThan(100);
  }, 120_000);

  test('what is already so is not changed', async () => {
    await setMode('both');

    expect(await setMode('both')).toMatchObject({ mode: 'both', changed: false });
  }, 60_000);

  test('in both on the way off, a PROXY line is not believed while the rule is gone', async () => {
    await setMode('proxy');
    await setMode('both');

    // Where it is put back every five seconds.
    await shell('systemctl stop proxyflip-assert.timer && nft flush ruleset');
    const met = [await status(80, 'plain'), await status(80, 'proxy')];
    await shell('systemctl start proxyflip-assert.timer');

    expect(met).toEqual(['301', '400']);
  }, 60_000);

  test('HAProxy runs in a sandbox of a score under 3, with which it serves after a restart and a reload', async () => {
    await setMode('both');
    const served = async () => [await status(80, 'plain'), await status(80, 'proxy')];

    const [, score] =
      /exposure level for \S+: ([\d.]+)/.exec(
        await shell('systemd-analyze security --no-pager proxyflip-haproxy.service'),
      ) ?? [];
    expect(Number(score)).toBeLessThan(3);
    expect(Number(score)).toBeGreaterThan(0);
    await shell('systemctl restart proxyflip-haproxy.service');
    expect(await served()).toEqual(['301', '301']);
    await shell('systemctl reload proxyflip-haproxy.service');
    expect(await served()).toEqual(['301', '301']);
  }, 60_000);

  test.each([
    { what: 'nginx is killed', how: 'kill -9 $(systemctl show --property=MainPID --value nginx)' },
    { what: 'HAProxy is killed', how: 'kill -9 $(systemctl show --property=MainPID --value proxyflip-haproxy)' },
    { what: 'nginx is restarted', how: 'systemctl restart nginx' },
    { what: 'the distribution upgrades its own HAProxy', how: 'systemctl restart haproxy || true' },
    { what: 'the host flushes its nftables rules', how: 'nft flush ruleset' },
    { what: 'the machine is rebooted', how: 'reboot' },
  ])(
    'in both, after $what, it serves both kinds again by itself',
    async ({ how }) => {
      await setMode('both');

      if (how === 'reboot') await bare.machine.reboot();
      else await bare.machine.exec(['bash', '-c', how]);

      const limit = Date.now() + 15_000;
      let seen: string[] = [];
      while (Date.now() < limit && String(seen) !== '301,301') {
        await sleep(200);
        seen = [await status(80, 'plain'), await status(80, 'proxy')];
      }
      expect(seen).toEqual(['301', '301']);
      expect(await status(8078, 'plain')).toBe('404');
    },
    60_000,
  );

  // What follows is the script's own, and the same on every release.
  if (release !== 'bookworm') return;

  test('in proxy a plain connection is closed without a byte and without a line in the access log', async () => {
    await setMode('proxy');
    const before = await shell('wc -l </var/log/nginx/proxyflip.access.log');

    expect(await status(80, 'plain')).toBe('000');
    expect(await status(80, 'proxy')).toBe('301');

    expect(Number(await shell('wc -l </var/log/nginx/proxyflip.access.log')) - Number(before)).toBe(1);
  }, 60_000);

  test('HAProxy is not reachable from outside', async () => {
    expect(await status(8079, 'plain')).toBe('000');
    expect(await shell('ss -Hltn sport = :8079')).toContain('127.0.0.1:8079');
  });

  test.each([
    {
      what: 'a server of somebody else on an instance port',
      how: `printf 'server {\\n  listen 80;\\n  server_name shop.example;\\n}\\n' >/etc/nginx/conf.d/shop.conf`,
      undo: 'rm /etc/nginx/conf.d/shop.conf',
      message: /ERR_EXISTING_SERVER: \/etc\/nginx\/conf\.d\/shop\.conf:1: a server with 'listen 80'/,
    },
    {
      what: 'worker_shutdown_timeout',
      how: `sed -i '1i worker_shutdown_timeout 2s;' /etc/nginx/nginx.conf`,
      undo: `sed -i 1d /etc/nginx/nginx.conf`,
      message: /ERR_WORKER_SHUTDOWN_TIMEOUT/,
    },
    {
      what: 'an instance port that belongs to another program',
      how: 'systemctl stop nginx; systemd-run --quiet --unit=squatter socat TCP-LISTEN:81,fork,reuseaddr SYSTEM:true; sleep 0.3',
      undo: 'systemctl stop squatter; systemctl start nginx',
      message: /ERR_PORT_TAKEN: instance port 81 belongs to socat/,
    },
    {
      what: 'an artifact that cannot be reached',
      how: 'true',
      undo: 'true',
      message: /ERR_CHAT_ARTIFACT: http:\/\/10\.0\.0\.99\/chat\.tar\.gz cannot be reached from this instance/,
      more: { Chat: 'On', ChatArtifactUrl: 'http://10.0.0.99/chat.tar.gz', ChatArtifactSha256: '0'.repeat(64) },
    },
    {
      // Debian has no SELinux: what its programs answer is played.
      what: 'SELinux enforcing, with nginx let go and HAProxy confined',
      how: `${program('getenforce', 'echo Enforcing')}; ${program('semodule', 'echo permissive_httpd_t')}`,
      undo: 'rm /usr/local/sbin/getenforce /usr/local/sbin/semodule',
      message: /ERR_SELINUX: SELinux is enforcing and confines haproxy_t .*semanage permissive -a haproxy_t;/,
    },
    {
      what: 'a program that is missing, with the package repositories out of reach',
      how: `cp /var/lib/dpkg/status /tmp/status; awk -v RS= -v ORS='\\n\\n' '!/^Package: socat\\n/' /tmp/status >/var/lib/dpkg/status; mv /usr/bin/socat /usr/bin/socat.away; echo 'Acquire::http::Proxy "http://127.0.0.1:9";' >/etc/apt/apt.conf.d/99-away`,
      undo: 'mv /tmp/status /var/lib/dpkg/status; mv /usr/bin/socat.away /usr/bin/socat; rm /etc/apt/apt.conf.d/99-away',
      message: /ERR_PACKAGES: the instance cannot have the packages socat; .*: W: Failed to fetch/,
    },
  ])(
    '$what is refused by name, and nothing is changed',
    async ({ how, undo, message, more = {} }) => {
      const wanted = { Operation: 'SetMode', Mode: 'both', ...PORTS, ...more };
      await setMode('proxy');
      const fingerprint = () =>
        shell('find /etc/nginx /etc/systemd /etc/proxyflip -type f | sort | xargs sha256sum; nft list ruleset');
      await shell(how);
      const before = await fingerprint();

      // Status tells beforehand, SetMode refuses.
      const { problems } = await document({ ...wanted, Operation: 'Status' });
      expect(String(problems).replace(' ', ': ')).toMatch(message);
      await expect(document(wanted)).rejects.toThrow(message);

      expect(await fingerprint()).toBe(before);
      await shell(undo);
    },
    60_000,
  );

  test('SELinux enforcing with nginx and HAProxy let go is no reason to refuse', async () => {
    await shell(
      `${program('getenforce', 'echo Enforcing')}; ${program('semodule', 'echo permissive_haproxy_t; echo permissive_httpd_t')}`,
    );
    const { problems } = await document({ Operation: 'Status', Mode: 'both', ...PORTS });
    await shell('rm /usr/local/sbin/getenforce /usr/local/sbin/semodule');
    expect(problems).toEqual([]);
  }, 60_000);

  test('Measure says what came of its own requests, by the receiver that they met', async () => {
    const probes = async () =>
      (await document({ Operation: 'Measure', Nodes: `${MACHINE}:80=http ${MACHINE}:81=http ${MACHINE}:9=http` }))
        .probes;
    await setMode('both');
    expect(await probes()).toBe('00-');
    // Anything that writes a line in front of what it passes on, as a node with the policy does.
    await shell(
      `printf 'defaults\n mode tcp\n timeout connect 5s\n timeout client 5s\n timeout server 5s\nlisten node\n bind :7080\n server m ${MACHINE}:80 send-proxy\n' >/tmp/node.cfg && systemd-run --quiet --unit=node haproxy -db -f /tmp/node.cfg && sleep 0.5`,
    );
    const { probes: through } = await document({ Operation: 'Measure', Nodes: `${MACHINE}:7080=http` });
    await shell('systemctl stop node');
    expect(through).toBe('1');
    await setMode('proxy');
    // Nobody answers that it came plain: a receiver that requires the line answers such a request not at all.
    expect(await probes()).toBe('---');
  }, 60_000);

  test.each([
    { name: 'InstancePorts', value: '80=http;reboot' },
    { name: 'TrustedCidrs', value: '10.0.0.0/8 $(reboot)' },
    { name: 'Nodes', value: '10.0.0.1:80=http`reboot`' },
    { name: 'ChatArtifactUrl', value: 'https://example.com/a b' },
  ])('a value with shell in it for $name is refused by the script too', async ({ name, value }) => {
    await expect(document({ Operation: 'SetMode', Mode: 'both', ...PORTS, [name]: value })).rejects.toThrow(
      `ERR_INVALID_PARAMETER: parameter ${name} has the value '${value}'`,
    );
  });

  test('an agent that hands no values over as environment variables is refused', async () => {
    await expect(document({})).rejects.toThrow('ERR_AGENT_TOO_OLD');
  });

  test('a port that is not named any more goes on being served, plain, and can be switched again', async () => {
    const set = (Mode: string, InstancePorts: string) =>
      document({ Operation: 'SetMode', Mode, InstancePorts, TrustedCidrs: PORTS.TrustedCidrs });
    await set('proxy', '80=http 82=http');
    expect([await status(80, 'proxy'), await status(82, 'proxy')]).toEqual(['301', '301']);

    await set('proxy', '80=http');
    expect([await status(80, 'proxy'), await status(82, 'plain')]).toEqual(['301', '301']);

    await set('both', '80=http 82=http');
    expect([await status(82, 'plain'), await status(82, 'proxy')]).toEqual(['301', '301']);
    await set('proxy', '80=http 82=http');
    expect([await status(82, 'plain'), await status(82, 'proxy')]).toEqual(['000', '301']);
  }, 60_000);

  test('Plan: the differences of the files, and nothing is changed', async () => {
    await setMode('plain');
    const files = () =>
      shell(
        'find /etc /usr/local/lib /var/lib/proxyflip -type f -exec sha256sum {} + | sort | sha256sum; mount | wc -l; nft -j list ruleset',
      );
    const before = await files();

    const stdout = await bare.runScript('receiver.sh', {
      Operation: 'Plan',
      Mode: 'proxy',
      // A port that no other test has named: what is released stays served.
      InstancePorts: '80=http 83=https',
      TrustedCidrs: PORTS.TrustedCidrs,
    });

    expect(stdout).toContain('new: /etc/nginx/proxyflip/vhosts/83.conf, ');
    expect(stdout).toContain('+listen 80 default_server proxy_protocol;');
    expect(stdout.length).toBeLessThan(2500);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ mode: 'plain', problems: [] });
    expect(await files()).toBe(before);
  });

  test('Join: what is said where there is no receiver; both first where it was away; hands off what has just been set', async () => {
    const said = (mode: string) => `${mode}; 80=http 81=https; ${PORTS.TrustedCidrs}`;
    const later = () => shell('touch -d "6 minutes ago" /etc/proxyflip/receiver.env');
    await setMode('plain');

    expect(await join(said('proxy'))).toMatchObject({ mode: 'plain', changed: false });
    await later();
    expect(await join(said('plain'))).toMatchObject({ mode: 'plain', changed: false });
    expect(await join(said('proxy'))).toMatchObject({ mode: 'both', before: 'plain' });
    expect(await join(said('proxy'))).toMatchObject({ mode: 'both', changed: false });
    await later();
    expect(await join(said('proxy'))).toMatchObject({ mode: 'proxy', before: 'both' });
    expect([await status(80, 'plain'), await status(80, 'proxy')]).toEqual(['000', '301']);

    await setMode('plain');
    await document({ Operation: 'Uninstall' });
    expect(await join(said('proxy'))).toMatchObject({ mode: 'proxy', before: 'none', ready: true });
    expect(await shell(`grep -c "^readonly JOINING=''$" /usr/local/lib/proxyflip/receiver`)).toBe('1');
    await expect(join('{{ssm:/proxyflip/joining/web}}')).rejects.toThrow('ERR_INVALID_PARAMETER');
    await setMode('plain');
  }, 60_000);

  test('TakeOver replaces exactly the listen lines of other servers, both serve them, and Uninstall gives them back', async () => {
    await setMode('plain');
    await shell(
      `printf 'server {\\n  listen 80;\\n  listen [::]:80;\\n  server_name shop.example;\\n  return 200 "shop $remote_addr\\\\n";\\n}\\n' >/etc/nginx/conf.d/shop.conf; nginx -t && systemctl reload nginx`,
    );
    const original = await shell('cat /etc/nginx/conf.d/shop.conf');
    const shop = (...more: string[]) =>
      clientsCurl('--header', 'Host: shop.example', ...more, `http://${MACHINE}/`).then((said) => said.trim());
    const takeOver = (Mode: string) => document({ Operation: 'SetMode', Mode, ...PORTS, ExistingServers: 'TakeOver' });

    expect(await takeOver('both')).toMatchObject({ mode: 'both' });
    const taken = await shell('cat /etc/nginx/conf.d/shop.conf');
    expect(taken).toContain('include proxyflip/listen/80-other.conf; # proxyflip: listen 80;');
    expect(taken.replace(/^.*(listen|proxyflip).*\n?/gm, '')).toBe(original.replace(/^.*listen.*\n?/gm, ''));
    expect(await shop()).toBe(`shop ${CLIENTS}`);
    expect(await shop('--haproxy-protocol')).toBe('shop 0.0.0.0');
    expect(await takeOver('proxy')).toMatchObject({ mode: 'proxy' });
    expect(await shop('--haproxy-protocol')).toBe(`shop ${CLIENTS}`);
    expect(await takeOver('proxy')).toMatchObject({ changed: false });
    await setMode('plain');
    await document({ Operation: 'Uninstall' });

    expect(await shell('cat /etc/nginx/conf.d/shop.conf')).toBe(original);
    expect(await shop()).toBe(`shop ${CLIENTS}`);
    await shell('rm /etc/nginx/conf.d/shop.conf; systemctl reload nginx');
    await setMode('plain');
  }, 60_000);

  test('what docs/troubleshooting.md has one look at is there', async () => {
    const [{ commands } = { commands: '' }] = commandBlocks(readPage('docs/troubleshooting.md')).filter((block) =>
      block.commands.startsWith('journalctl '),
    );
    await setMode('plain');

    const { exitCode, stdout, stderr } = await bare.machine.exec(['bash', '-c', commands]);

    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain("SET_MODE='plain'");
    expect(stdout).toContain('proxyflip-');
  }, 60_000);

  test('Uninstall leaves the host as it was found', async () => {
    await setMode('plain');

    expect(await document({ Operation: 'Uninstall' })).toMatchObject({ mode: 'none' });

    expect(await shell(`find /etc /usr/local /opt /run /var/lib -name '*proxyflip*'`)).toBe('');
    expect(await shell('ls /etc/nginx/sites-enabled; systemctl is-active nginx; nft list ruleset')).toBe(
      'default\nactive',
    );
    // Debian's own page.
    expect(await status(80, 'plain')).toBe('200');
    expect(await shell(`grep -hE '\\[(alert|crit|emerg)\\]' /var/log/nginx/error.log || true`)).toBe('');
  }, 60_000);
});
