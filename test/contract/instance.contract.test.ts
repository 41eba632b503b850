/**
 * What a load balancer does on the wire: an instance is needed that says what it has read (`probe.sh`), and a load balancer that is
 * reached from here.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeNetworkInterfacesCommand } from '@aws-sdk/client-ec2';
import {
  ConfigureHealthCheckCommand,
  CreateLoadBalancerCommand,
  CreateLoadBalancerPolicyCommand,
  DescribeInstanceHealthCommand,
  ModifyLoadBalancerAttributesCommand,
  RegisterInstancesWithLoadBalancerCommand,
  SetLoadBalancerPoliciesForBackendServerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { ask, tellAtTheEnd } from './ask.ts';
import { nameOf, openTarget, TAG, type Target } from './target.ts';
import { until } from './until.ts';

const LoadBalancerName = nameOf('wire');
/** The listeners' ports are others than the instance ports, so that the PROXY line's can be told. */
const SWITCHED = { listener: 18_080, instance: 18_090 };
const PLAIN = { listener: 18_081, instance: 18_091 };
/** A new connection to a node each so often; a node has followed when so many in a row say so. */
const EVERY_MS = 250;
const IN_A_ROW = 10;
/** The runbook's default for MeasureSeconds. */
const BOUND_SECONDS = 900;
/** Every node has asked meanwhile: they do every 5 s. */
const HEALTH_MS = 8_000;

let target: Target;
let nodes: string[] = [];
let instanceId = '';

const script = readFileSync(new URL('probe.sh', import.meta.url), 'utf8');

beforeAll(async () => {
  target = await openTarget();
  const { elb } = target.clients;
  const securityGroups = await target.securityGroups([SWITCHED.listener, PLAIN.listener]);
  await elb.send(
    new CreateLoadBalancerCommand({
      LoadBalancerName,
      Subnets: [...target.subnetIds],
      Listeners: [SWITCHED, PLAIN].map(({ listener, instance }) => ({
        Protocol: 'TCP',
        LoadBalancerPort: listener,
        InstanceProtocol: 'TCP',
        InstancePort: instance,
      })),
      Tags: [TAG],
      ...(securityGroups.length > 0 ? { SecurityGroups: securityGroups } : {}),
    }),
  );
  await elb.send(
    new ModifyLoadBalancerAttributesCommand({
      LoadBalancerName,
      // One instance for the nodes of every zone; and a connection that outlives the wait for a policy.
      LoadBalancerAttributes: { CrossZoneLoadBalancing: { Enabled: true }, ConnectionSettings: { IdleTimeout: 3_600 } },
    }),
  );
  await healthCheck(`TCP:${PLAIN.instance}`);
  instanceId = await target.launch(script);
  await elb.send(
    new RegisterInstancesWithLoadBalancerCommand({ LoadBalancerName, Instances: [{ InstanceId: instanceId }] }),
  );
  await inService();
  nodes = await target.addresses(LoadBalancerName);
  for (const node of nodes) await until(`${node} answers`, 300, () => seenBy(node, SWITCHED).catch(() => undefined));
}, 20 * 60_000);
afterAll(async () => {
  await target?.close();
}, 60_000);
tellAtTheEnd();

const healthCheck = (Target: string) =>
  target.clients.elb.send(
    new ConfigureHealthCheckCommand({
      LoadBalancerName,
      HealthCheck: { Target, Interval: 5, Timeout: 3, UnhealthyThreshold: 2, HealthyThreshold: 2 },
    }),
  );
const isInService = async (): Promise<boolean> => {
  const { InstanceStates = [] } = await target.clients.elb.send(
    new DescribeInstanceHealthCommand({ LoadBalancerName }),
  );
  return InstanceStates[0]?.State === 'InService';
};
const inService = () => until('the instance is in service', 600, isInService);
const setPolicies = (...PolicyNames: string[]) =>
  target.clients.elb.send(
    new SetLoadBalancerPoliciesForBackendServerCommand({
      LoadBalancerName,
      InstancePort: SWITCHED.instance,
      PolicyNames,
    }),
  );

/** A connection that says a line and reads the answer's, for as long as one likes. */
class Line {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }
  async say(text: string): Promise<string> {
    this.#socket.write(`${text}\n`);
    return this.next();
  }
  /** @throws Error  the connection ended, or nothing came within 10 s */
  async next(): Promise<string> {
    const answer = await Promise.race([this.#lines.next(), sleep(10_000, undefined, { ref: false })]);
    if (answer === undefined || answer.done === true) throw new Error('no answer');
    return answer.value;
  }
  /** Everything until the other side's end. */
  async rest(text: string): Promise<string[]> {
    this.#socket.end(`${text}\n`);
    const lines: string[] = [];
    for (let each = await this.#lines.next(); !each.done; each = await this.#lines.next()) lines.push(each.value);
    return lines;
  }
  async close(): Promise<void> {
    this.#socket.destroy();
    if (!this.#socket.closed) await once(this.#socket, 'close');
  }
}

const open = async (node: string, { listener }: { listener: number }) => new Line(await target.connect(node, listener));

interface Seen {
  /** The peer: the node's own private address. */
  readonly peer: string;
  /** `PROXY TCP4 …` in words; undefined: none came. */
  readonly proxy: readonly string[] | undefined;
}

/** What the instance sees of a new connection by this node. */
async function seenBy(node: string, port: { listener: number }): Promise<Seen> {
  const line = await open(node, port);
  try {
    const [, peer = '', proxy = ''] = (await line.say('HELLO')).split(' ');
    return { peer, proxy: proxy === '-' ? undefined : proxy.split('_') };
  } finally {
    await line.close();
  }
}

const onPlainPort = async (question: string): Promise<string[]> => (await open(nodes[0] ?? '', PLAIN)).rest(question);

interface HealthCheck {
  readonly atMs: number;
  /** As the probe writes it: `-` for none. */
  readonly proxy: string;
  /** The first word; empty where nothing was said. */
  readonly word: string;
}

async function healthChecks(): Promise<HealthCheck[]> {
  const ours = ['HELLO', 'LOG', 'FACTS'];
  return (await onPlainPort('LOG'))
    .map((line) => line.split(' '))
    .map(([at = '', , proxy = '', word = '']) => ({ atMs: Number(at) * 1000, proxy, word }))
    .filter(({ word }) => !ours.includes(word));
}

const inWords = (checks: readonly HealthCheck[]): string =>
  `${checks.length} connections, ${checks.filter(({ proxy }) => proxy !== '-').length} with a PROXY line`;

ask('A14', 'the kernel of Amazon Linux 2023 has nft_tproxy', async (note) => {
  const facts = await onPlainPort('FACTS');
  note(facts.join(', '));
  expect(facts).toContain('nft_tproxy=yes');
});

ask(
  'A3',
  'what connects to an instance is an interface that is described by the load balancer’s name',
  async (note) => {
    const { NetworkInterfaces = [] } = await target.clients.ec2.send(
      new DescribeNetworkInterfacesCommand({ Filters: [{ Name: 'description', Values: [`ELB ${LoadBalancerName}`] }] }),
    );
    const described = NetworkInterfaces.map(({ PrivateIpAddress }) => PrivateIpAddress);
    const seen = await Promise.all(nodes.map((node) => seenBy(node, SWITCHED)));
    note(`${nodes.length} nodes by name, ${described.length} interfaces`);
    for (const { peer, proxy } of seen) {
      expect(described).toContain(peer);
      expect(proxy).toBeUndefined();
    }
  },
);

ask('A1', 'a policy reaches every node in time, each in its own', async (note) => {
  await target.clients.elb.send(
    new CreateLoadBalancerPolicyCommand({
      LoadBalancerName,
      PolicyName: 'on',
      PolicyTypeName: 'ProxyProtocolPolicyType',
      PolicyAttributes: [{ AttributeName: 'ProxyProtocol', AttributeValue: 'true' }],
    }),
  );
  const followed = async (wanted: boolean): Promise<string> => {
    const startMs = Date.now();
    await (wanted ? setPolicies('on') : setPolicies());
    const each = await Promise.all(nodes.map((node) => timeUntil(node, wanted, startMs)));
    return each.map((seconds) => seconds.toFixed(1)).join(' s, ');
  };
  note(`on after ${await followed(true)} s`);
  note(`off after ${await followed(false)} s`);
});

/** @returns seconds from `startMs` to the first of so many connections in a row that are as wanted */
async function timeUntil(node: string, wanted: boolean, startMs: number): Promise<number> {
  let inARow = 0;
  let sinceMs = 0;
  while (inARow < IN_A_ROW) {
    if (Date.now() - startMs > BOUND_SECONDS * 1000) throw new Error(`${node} has not followed in ${BOUND_SECONDS} s`);
    const atMs = Date.now();
    const { proxy } = await seenBy(node, SWITCHED);
    if ((proxy !== undefined) !== wanted) inARow = 0;
    else if (inARow++ === 0) sinceMs = atMs;
    await sleep(EVERY_MS);
  }
  return (sinceMs - startMs) / 1000;
}

ask('A2', 'a connection that was open before stays as it was', async (note) => {
  const before = await Promise.all(nodes.map((node) => open(node, SWITCHED)));
  for (const line of before) expect(await line.say('HELLO')).toMatch(/ -$/);

  await setPolicies('on');
  const startMs = Date.now();
  await Promise.all(nodes.map((node) => timeUntil(node, true, startMs)));

  const answers = await Promise.all(before.map((line) => line.say('still there')));
  note(`${before.length} connections, open for ${Math.round((Date.now() - startMs) / 1000)} s more`);
  expect(answers).toEqual(before.map(() => 'PONG still there'));
  await Promise.all(before.map((line) => line.close()));
});

ask('A6', 'the PROXY line says the client, the node’s own address, and the listener’s port', async (note) => {
  const seen = await Promise.all(nodes.map((node) => seenBy(node, SWITCHED)));
  for (const { peer, proxy = [] } of seen) {
    const [word, family, , proxyAddress, clientPort, proxyPort] = proxy;
    note(`port ${proxyPort} (listener ${SWITCHED.listener}, instance port ${SWITCHED.instance})`);
    expect([word, family, proxyAddress]).toEqual(['PROXY', 'TCP4', peer]);
    expect(Number(clientPort)).toBeGreaterThan(0);
    expect(proxyPort).toBe(String(SWITCHED.listener));
  }
});

ask('A4', 'on a port with the policy, a health check by SSL carries no PROXY line', async (note) => {
  const sinceMs = Date.now();
  await healthCheck(`SSL:${SWITCHED.instance}`);
  await sleep(HEALTH_MS);
  // It fails, since nobody answers it: what it was can only be asked by way of the load balancer when another has passed.
  await healthCheck(`HTTP:${SWITCHED.instance}/healthz`);
  await inService();
  const seen = (await healthChecks()).filter(({ atMs, word }) => atMs > sinceMs && word === 'TLS');
  note(inWords(seen));
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.filter(({ proxy }) => proxy !== '-')).toEqual([]);
});

ask('A4', 'on a port with the policy, a health check by HTTP carries no PROXY line', async (note) => {
  const seen = (await healthChecks()).filter(({ word }) => word === 'GET');
  note(inWords(seen));
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.filter(({ proxy }) => proxy !== '-')).toEqual([]);
});

ask('A4', 'on a port with the policy, a health check by TCP passes, with the line or without', async (note) => {
  const sinceMs = Date.now();
  await healthCheck(`TCP:${SWITCHED.instance}`);
  await sleep(HEALTH_MS);
  await inService();
  // One that ends its connection at once may never be handed to the probe.
  note(inWords((await healthChecks()).filter(({ atMs, word }) => atMs > sinceMs && word === '')));
});
