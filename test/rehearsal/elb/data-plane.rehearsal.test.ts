/** The data plane alone: real HAProxy nodes in network namespaces, small servers as instances, one client on the internet. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HaproxyDataPlane } from '../../../rehearsal/elb/data-plane/haproxy-data-plane.ts';
import type { Configuration, Protocol } from '../../../rehearsal/elb/data-plane.ts';
import { createRunDirectory, type RunDirectory } from '../../../rehearsal/host/run-directory.ts';
import { prepareImage } from '../../../rehearsal/machines/images.ts';
import { ADDRESSES, createFabric, type Fabric } from '../../../rehearsal/network/fabric.ts';
import { createCertificate } from '../../../rehearsal/nodes/certificate.ts';
import { NodePlaces } from '../../../rehearsal/nodes/node-places.ts';
import { type Subnet, World } from '../../../rehearsal/world.ts';
import { Child } from '../nodes/child.ts';

const RELEASE = process.env.REHEARSAL_RELEASE === 'trixie' ? 'trixie' : 'bookworm';
const POLICY_DELAY_MS = { min: 0, max: 600 };

interface Answer {
  readonly id: number;
  readonly line?: string;
  readonly error?: string;
  readonly counts?: Readonly<Record<string, number>>;
}

class Client extends Child {
  #next = 0;

  async #ask(command: Record<string, unknown>): Promise<Answer> {
    const id = ++this.#next;
    this.write(JSON.stringify({ id, ...command }));
    return this.until((messages) => messages.find((each): each is Answer => (each as Answer).id === id));
  }
  open(address: string, port: number, tls = false): Promise<Answer> {
    return this.#ask({ open: [address, port, tls] });
  }
  say(connection: Answer): Promise<Answer> {
    return this.#ask({ say: connection.id });
  }
  burst(address: string, port: number, ms: number): Promise<Answer> {
    return this.#ask({ burst: [address, port, ms] });
  }
  closed(connection: Answer, limitMs?: number): Promise<number> {
    return this.until(
      (messages) => (messages as { closed?: number; at: number }[]).find((each) => each.closed === connection.id)?.at,
      limitMs,
    );
  }
}

let run: RunDirectory;
let fabric: Fabric;
let world: World;
let dataPlane: HaproxyDataPlane;
let client: Client;
let clientNamespace: string;
const instances: Child[] = [];
const mistakes: string[] = [];

const subnets: Subnet[] = [0, 1].map((index) => ({
  subnetId: `subnet-${index}`,
  vpcId: 'vpc-1',
  cidrBlock: `10.0.${101 + index}.0/24`,
  availabilityZone: `eu-central-1${'ab'[index]}`,
}));
const instance = (index: number) => ({
  instanceId: `i-${index}`,
  privateIpAddress: ADDRESSES.instance(index),
  availabilityZone: `eu-central-1${'ab'[index % 2]}`,
});
const [nodeA, nodeB] = [ADDRESSES.node(0), ADDRESSES.node(1)];

let configuration: Configuration = {
  loadBalancerName: 'web',
  securityGroupIds: [],
  listeners: [
    { loadBalancerPort: 80, protocol: 'TCP', instanceProtocol: 'TCP', instancePort: 80 },
    { loadBalancerPort: 443, protocol: 'SSL', instanceProtocol: 'TCP', instancePort: 81 },
  ],
  instances: [instance(0), instance(1)],
  // Shorter than the API allows, so that the test is.
  healthCheck: {
    target: 'HTTP:8078/healthz',
    intervalSeconds: 1,
    timeoutSeconds: 1,
    unhealthyThreshold: 2,
    healthyThreshold: 2,
  },
  idleTimeoutSeconds: 60,
  drainingSeconds: undefined,
  isCrossZone: true,
  proxyPorts: [],
};
const update = (change: Partial<Configuration>) => {
  configuration = { ...configuration, ...change };
  return dataPlane.update(configuration);
};
const state = async (instanceId: string) => (await dataPlane.health('web')).get(instanceId)?.state;
const untilState = async (instanceId: string, wanted: string, limitMs = 15_000) => {
  for (const limit = Date.now() + limitMs; (await state(instanceId)) !== wanted; await sleep(50)) {
    if (Date.now() > limit) throw new Error(`${instanceId} is ${await state(instanceId)}, not ${wanted}`);
  }
};

beforeAll(async () => {
  run = await createRunDirectory();
  fabric = await createFabric(run.runId);
  world = new World();
  for (const subnet of subnets) world.subnets.set(subnet.subnetId, subnet);
  const own = createCertificate(['instance']);
  for (const index of [0, 1, 2]) {
    const host = await fabric.addHost(`i${index}`, [ADDRESSES.instance(index)]);
    const secrets = { CERTIFICATE: own.certificatePem, PRIVATE_KEY: own.privateKeyPem };
    instances.push(new Child(host.namespace, 'elb/instance-process.mjs', [`i-${index}`], secrets));
  }
  dataPlane = new HaproxyDataPlane({
    places: new NodePlaces({ world, fabric, directory: path.join(run.path, 'elb') }),
    haproxy: { rootDirectory: await prepareImage(RELEASE, 'baked', () => {}) },
    policyDelayMs: POLICY_DELAY_MS,
    log: (line) => mistakes.push(line),
  });
  const host = await fabric.addHost('client', [ADDRESSES.client(0)]);
  clientNamespace = host.namespace;
  client = new Client(host.namespace, 'elb/client-process.mjs', [], { CERTIFICATE: dataPlane.certificatePem });
  await Promise.all([...instances, client].map((child) => child.until(() => child.messages[0])));
}, 120_000);

afterAll(async () => {
  for (const child of [...instances, client]) child?.stop();
  await dataPlane?.[Symbol.asyncDispose]();
  await run?.remove();
});

test('nodes start, one in each subnet, each with a network interface; instances come into service when checks pass', async () => {
  await dataPlane.create(configuration, subnets);

  expect(dataPlane.addresses('web')).toEqual([nodeA, nodeB]);
  expect([...world.networkInterfaces.values()]).toMatchObject([
    { description: 'ELB web', privateIpAddress: nodeA, subnetId: 'subnet-0' },
    { description: 'ELB web', privateIpAddress: nodeB, subnetId: 'subnet-1' },
  ]);
  expect((await dataPlane.health('web')).get('i-0')).toMatchObject({ state: 'OutOfService', reasonCode: 'ELB' });
  await untilState('i-0', 'InService');
  await untilState('i-1', 'InService');
}, 30_000);

test('a plain connection comes from the node, over TCP and over TLS, and both instances get some', async () => {
  const answers = await Promise.all([1, 2, 3, 4].map(() => client.open(nodeA, 80)));
  const overTls = await client.open(nodeB, 443, true);

  expect([...new Set(answers.map(({ line }) => line))].sort()).toEqual([
    `i-0 plain from ${nodeA} hello`,
    `i-1 plain from ${nodeA} hello`,
  ]);
  expect(overTls.line).toMatch(new RegExp(`^i-[01] plain from ${nodeB} hello$`));
}, 30_000);

describe('the PROXY policy', () => {
  test('reaches each node in its own time, new connections alone, without one failure', async () => {
    const held = await client.open(nodeA, 80);
    const bursts = [nodeA, nodeB].map((node) => client.burst(node, 80, 1500));
    await sleep(300);

    await update({ proxyPorts: [80] });

    for (const { counts } of await Promise.all(bursts)) {
      expect(Object.keys(counts ?? {}).sort()).toEqual(['plain', 'proxy']);
    }
    expect((await client.say(held)).line).toBe(held.line);
    const after = await client.open(nodeB, 80);
    expect(after.line).toMatch(new RegExp(`^i-[01] PROXY TCP4 ${ADDRESSES.client(0)} ${nodeB} \\d+ 80 hello$`));
    const [first, second] = await dataPlane.nodes('web');
    expect(first?.policyInForce).toEqual({ 80: 'proxy', 81: 'plain' });
    expect(first?.policyChangedAt[80]).not.toBe(second?.policyChangedAt[80]);
    expect(first?.openConnections.plain).toBeGreaterThanOrEqual(1);
    expect(first?.totalConnections.proxy).toBeGreaterThan(0);
  }, 30_000);

  test('is by instance port: the TLS listener is still plain', async () => {
    expect((await client.open(nodeA, 443, true)).line).toContain(' plain ');
  });

  test('over TLS the line names the listener’s port, not the instance’s', async () => {
    await update({ proxyPorts: [80, 81] });
    await sleep(POLICY_DELAY_MS.max + 200);

    expect((await client.open(nodeA, 443, true)).line).toMatch(
      / PROXY TCP4 198\.51\.100\.10 10\.0\.101\.21 \d+ 443 hello$/,
    );
  });

  test('a change that arrives after a newer one is dropped', async () => {
    for (const proxyPorts of [[81], [80, 81], [81], [80, 81], [81]]) await update({ proxyPorts });
    await sleep(POLICY_DELAY_MS.max + 200);

    expect((await client.open(nodeA, 80)).line).toContain(' plain ');
    expect((await client.open(nodeB, 80)).line).toContain(' plain ');
  }, 30_000);

  test('outlives its listener: a new one on the port is under it at once', async () => {
    await update({ listeners: [{ loadBalancerPort: 80, protocol: 'TCP', instanceProtocol: 'TCP', instancePort: 80 }] });
    await update({
      listeners: [
        ...configuration.listeners,
        { loadBalancerPort: 8443, protocol: 'TCP', instanceProtocol: 'TCP', instancePort: 81 },
      ],
    });

    expect((await client.open(nodeA, 8443)).line).toContain(' PROXY TCP4 ');
  }, 30_000);
});

describe('protocols other than TCP', () => {
  const listener = (
    loadBalancerPort: number,
    protocol: Protocol,
    instanceProtocol: Protocol,
    instancePort: number,
  ) => ({
    loadBalancerPort,
    protocol,
    instanceProtocol,
    instancePort,
  });
  const curl = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('ip', ['netns', 'exec', clientNamespace, 'curl', '-sSk', '--max-time', '5', ...args]))
      .stdout;
  const headers = async (url: string, ...args: string[]): Promise<Record<string, string>> =>
    JSON.parse(await curl(...args, url));

  test('HTTP and HTTPS listeners name the client in a header, and let no upgrade through', async () => {
    const before = configuration.listeners;
    const others = [
      listener(8082, 'HTTP', 'HTTP', 82),
      listener(8443, 'HTTPS', 'HTTP', 82),
      listener(8084, 'HTTP', 'HTTPS', 84),
    ];
    await update({ listeners: [listener(80, 'TCP', 'TCP', 80), ...others] });

    const upgrade = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ].flatMap((each) => ['-H', each]);
    expect(await headers(`http://${nodeA}:8082/`, '-H', 'X-Forwarded-For: 192.0.2.1')).toMatchObject({
      'x-forwarded-for': `192.0.2.1, ${ADDRESSES.client(0)}`,
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '8082',
      host: `${nodeA}:8082`,
    });
    expect(await headers(`http://${nodeA}:8082/`, ...upgrade)).not.toHaveProperty('upgrade');
    expect(await headers(`https://${nodeB}:8443/`)).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '8443',
    });
    expect(await headers(`http://${nodeB}:8084/`)).toMatchObject({ 'x-forwarded-for': ADDRESSES.client(0) });
    await update({ listeners: before });
  }, 30_000);

  test('the PROXY policy is TCP’s alone, also where an instance port is fed by both', async () => {
    const before = configuration.listeners;
    await update({
      listeners: [
        listener(80, 'TCP', 'TCP', 82),
        listener(8082, 'HTTP', 'HTTP', 82),
        listener(8083, 'TCP', 'SSL', 83),
        listener(443, 'SSL', 'SSL', 83),
      ],
      proxyPorts: [82, 83],
    });
    await sleep(POLICY_DELAY_MS.max + 200);

    expect(await headers(`http://${nodeA}:8082/`)).toMatchObject({ 'x-forwarded-for': ADDRESSES.client(0) });
    // An HTTP server that does not expect the line.
    expect((await client.open(nodeA, 80)).line).toMatch(/^HTTP\/1\.1 400 /);
    for (const [port, tls] of [
      [8083, false],
      [443, true],
    ] as const)
      expect((await client.open(nodeB, port, tls)).line).toMatch(new RegExp(`^i-[01] plain from ${nodeB} hello$`));
    await update({ listeners: before, proxyPorts: [81] });
    await sleep(POLICY_DELAY_MS.max + 200);
  }, 30_000);
});

describe('changes under load', () => {
  test('listeners and instances come and go: no new connection fails, held ones stay', async () => {
    const held = await client.open(nodeA, 80);
    const bursts = [nodeA, nodeB].map((node) => client.burst(node, 80, 3000));

    await update({ instances: [instance(0), instance(1), instance(2)] });
    await update({
      listeners: [
        ...configuration.listeners,
        { loadBalancerPort: 81, protocol: 'TCP', instanceProtocol: 'TCP', instancePort: 81 },
      ],
    });
    await update({ idleTimeoutSeconds: 50 });

    for (const { counts } of await Promise.all(bursts)) expect(Object.keys(counts ?? {})).toEqual(['plain']);
    expect((await client.say(held)).line).toBe(held.line);
    expect(await state('i-0')).toBe('InService');
    await untilState('i-2', 'InService');
  }, 30_000);

  test('a deleted listener’s connections end, others stay', async () => {
    const [ends, stays] = await Promise.all([client.open(nodeA, 81), client.open(nodeA, 80)]);

    await update({ listeners: configuration.listeners.filter(({ loadBalancerPort }) => loadBalancerPort !== 81) });

    await client.closed(ends);
    expect((await client.say(stays)).line).toBe(stays.line);
    expect((await client.open(nodeA, 81)).error).toBe('ECONNREFUSED');
  }, 30_000);
});

describe('health', () => {
  test('an instance that fails its checks gets no new connection, keeps those it has, and comes back', async () => {
    const held = await client.open(nodeA, 80);
    const index = Number(held.line?.[2]);
    instances[index]?.write('unhealthy');
    await untilState(`i-${index}`, 'OutOfService');

    expect((await dataPlane.health('web')).get(`i-${index}`)?.reasonCode).toBe('Instance');
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => client.open(nodeA, 80)));
    expect(answers.filter(({ line }) => line === undefined || line.startsWith(`i-${index} `))).toEqual([]);
    expect((await client.say(held)).line).toBe(held.line);

    instances[index]?.write('healthy');
    await untilState(`i-${index}`, 'InService');
  }, 40_000);

  test('checks carry no PROXY line, whatever the policy', async () => {
    await update({ proxyPorts: [80, 81] });
    await update({ healthCheck: { ...configuration.healthCheck, target: 'HTTP:8078/other' } });
    expect(await state('i-0')).toBe('OutOfService');
    await untilState('i-0', 'InService');

    const began = new Set(instances.flatMap(({ messages }) => messages));
    expect([...began].sort()).toEqual(['GET /healthz HTTP/1.1', 'GET /other HTTP/1.1', 'ready'].sort());
  }, 30_000);

  test.each([
    ['TCP:81', 'InService'],
    // A TLS handshake with a server that speaks no TLS.
    ['SSL:81', 'OutOfService'],
    ['HTTP:8078/healthz', 'InService'],
  ])(
    'target %s: %s',
    async (target, wanted) => {
      await update({ healthCheck: { ...configuration.healthCheck, target } });
      await sleep(2500);
      await untilState('i-0', wanted);
    },
    40_000,
  );
});

describe('deregistration', () => {
  test('without draining, connections to the instance end at once', async () => {
    await untilState('i-2', 'InService');
    const held = await Promise.all(Array.from({ length: 6 }, () => client.open(nodeA, 80)));
    const leaving = held.filter(({ line }) => line?.startsWith('i-2 '));
    expect(leaving.length).toBeGreaterThan(0);

    await update({ instances: [instance(0), instance(1)] });

    await Promise.all(leaving.map((connection) => client.closed(connection)));
    for (const connection of held.filter((each) => !leaving.includes(each))) {
      expect((await client.say(connection)).line).toBe(connection.line);
    }
  }, 30_000);

  test('with draining, they have that long, and the instance is InService meanwhile', async () => {
    await update({ drainingSeconds: 2 });
    const held = await Promise.all(Array.from({ length: 4 }, () => client.open(nodeB, 80)));
    const leaving = held.find(({ line }) => line?.startsWith('i-1 '));
    if (leaving === undefined) throw new Error('none to i-1');

    await update({ instances: [instance(0)] });
    const since = Date.now();

    expect((await dataPlane.health('web')).get('i-1')?.description).toContain('deregistration currently in progress');
    expect((await client.say(leaving)).line).toBe(leaving.line);
    expect((await client.closed(leaving)) - since).toBeGreaterThan(1800);
    await update({ instances: [instance(0), instance(1)], drainingSeconds: undefined });
  }, 30_000);
});

test('an idle connection ends after the idle timeout, one with traffic does not', async () => {
  await update({ idleTimeoutSeconds: 2 });
  await untilState('i-1', 'InService');
  const [idle, busy] = await Promise.all([client.open(nodeA, 80), client.open(nodeA, 80)]);
  const since = Date.now();

  for (let times = 0; times < 4; times++) {
    await sleep(800);
    expect((await client.say(busy)).line).toBe(busy.line);
  }

  const after = (await client.closed(idle)) - since;
  expect(after).toBeGreaterThan(1500);
  expect(after).toBeLessThan(4000);
  await update({ idleTimeoutSeconds: 60 });
}, 30_000);

test('without cross-zone a node sends to its own zone alone', async () => {
  await update({ isCrossZone: false });

  const [fromA, fromB] = await Promise.all(
    [nodeA, nodeB].map((node) => Promise.all(Array.from({ length: 4 }, () => client.open(node, 80)))),
  );
  expect(new Set(fromA?.map(({ line }) => line?.slice(0, 3)))).toEqual(new Set(['i-0']));
  expect(new Set(fromB?.map(({ line }) => line?.slice(0, 3)))).toEqual(new Set(['i-1']));
  await update({ isCrossZone: true });
}, 30_000);

describe('nodes', () => {
  test('one is added with the policies as they are, one is removed with its interface', async () => {
    const address = await dataPlane.addNode('web', subnets[0]);
    await sleep(2500);

    expect((await client.open(address, 80)).line).toContain(` PROXY TCP4 ${ADDRESSES.client(0)} ${address} `);
    await dataPlane.removeNode('web', address);
    expect(dataPlane.addresses('web')).toEqual([nodeA, nodeB]);
    expect(world.networkInterfaces.size).toBe(2);
  }, 30_000);

  test('one that dies takes its connections with it; it comes back with the policies it had', async () => {
    const [dies, stays] = await Promise.all([client.open(nodeA, 80), client.open(nodeB, 80)]);
    const [before] = await dataPlane.nodes('web');

    await dataPlane.stopNode('web', nodeA);
    await client.closed(dies);
    expect((await client.say(stays)).line).toBe(stays.line);
    expect((await client.open(nodeA, 80)).error).toBe('ECONNREFUSED');

    await dataPlane.startNode('web', nodeA);
    await untilState('i-0', 'InService');
    expect((await client.open(nodeA, 80)).line).toContain(' PROXY ');
    const [after] = await dataPlane.nodes('web');
    expect(after?.totalConnections.proxy).toBeGreaterThan(before?.totalConnections.proxy ?? 0);
  }, 40_000);

  test('all listeners can be deleted, and new ones made', async () => {
    const { listeners } = configuration;
    await update({ listeners: [] });
    expect((await client.open(nodeA, 80)).error).toBe('ECONNREFUSED');

    await update({ listeners });
    expect((await client.open(nodeA, 80)).line).toContain('hello');
  }, 30_000);
});

test('deletion leaves no process, no interface and no namespace, and nothing went wrong unseen', async () => {
  await dataPlane.delete('web');

  expect(world.networkInterfaces.size).toBe(0);
  expect(existsSync(`/run/netns/pf${run.runId}-node-10-0-101-21`)).toBe(false);
  expect(mistakes).toEqual([]);
}, 30_000);
