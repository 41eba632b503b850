/** Application Load Balancers by the SDK's own client: real HAProxy nodes, small servers as instances, one client on the internet. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DeleteListenerCommand,
  DeleteLoadBalancerCommand,
  DeregisterTargetsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  ModifyLoadBalancerAttributesCommand,
  ModifyTargetGroupAttributesCommand,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import { AlbDataPlane } from '../../../rehearsal/elbv2/data-plane/haproxy-data-plane.ts';
import { createElbv2Service } from '../../../rehearsal/elbv2/service.ts';
import { createRunDirectory, type RunDirectory } from '../../../rehearsal/host/run-directory.ts';
import { prepareImage } from '../../../rehearsal/machines/images.ts';
import { ADDRESSES, createFabric } from '../../../rehearsal/network/fabric.ts';
import { NodePlaces } from '../../../rehearsal/nodes/node-places.ts';
import { type Instance, REGION, World } from '../../../rehearsal/world.ts';
import { Child } from '../nodes/child.ts';

const RELEASE = process.env.REHEARSAL_RELEASE === 'trixie' ? 'trixie' : 'bookworm';

interface Answer {
  readonly id: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
  readonly line?: string;
  readonly error?: string;
  readonly counts?: Readonly<Record<string, number>>;
}

/** What an instance answers with. */
interface Seen {
  readonly instance: string;
  readonly peer: string;
  readonly peerPort: number;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
}

type Headers = Readonly<Record<string, string | readonly string[]>>;

class Client extends Child {
  #next = 0;

  async #ask(command: Record<string, unknown>): Promise<Answer> {
    const id = ++this.#next;
    this.write(JSON.stringify({ id, ...command }));
    return this.until((messages) => messages.find((each): each is Answer => (each as Answer).id === id));
  }
  get(url: string, headers: Headers = {}, keep?: string): Promise<Answer> {
    return this.#ask({ get: [url, headers], keep });
  }
  async seen(url: string, headers: Headers = {}, keep?: string): Promise<Seen> {
    const answer = await this.get(url, headers, keep);
    if (answer.status !== 200) throw new Error(JSON.stringify(answer));
    return JSON.parse(answer.body ?? '');
  }
  upgrade(url: string, headers: Headers = {}): Promise<Answer> {
    return this.#ask({ upgrade: [url, headers] });
  }
  say(connection: Answer): Promise<Answer> {
    return this.#ask({ say: connection.id });
  }
  close(connection: Answer): Promise<Answer> {
    return this.#ask({ close: connection.id });
  }
  burst(url: string, ms: number): Promise<Answer> {
    return this.#ask({ burst: [url, ms] });
  }
  closed(connection: Answer, limitMs?: number): Promise<number> {
    return this.until(
      (messages) => (messages as { closed?: number; at: number }[]).find((each) => each.closed === connection.id)?.at,
      limitMs,
    );
  }
}

const INSTANCES = [0, 1, 2].map((index) => `i-${String(index).repeat(17)}`);
const [nodeA, nodeB] = [ADDRESSES.node(0), ADDRESSES.node(1)];
const CLIENT = ADDRESSES.client(0);

let run: RunDirectory;
let world: World;
let endpoint: AwsEndpoint;
let elbv2: ElasticLoadBalancingV2Client;
let dataPlane: AlbDataPlane;
let client: Client;
let loadBalancerArn: string;
let targetGroupArn: string;
let redirectArn: string;
const instances: Child[] = [];
const mistakes: string[] = [];

beforeAll(async () => {
  run = await createRunDirectory();
  const fabric = await createFabric(run.runId);
  world = new World();
  for (const index of [0, 1]) {
    const subnetId = `subnet-${index}`;
    const availabilityZone = `${REGION}${'ab'[index]}`;
    world.subnets.set(subnetId, { subnetId, vpcId: 'vpc-1', cidrBlock: `10.0.${101 + index}.0/24`, availabilityZone });
  }
  for (const [index, instanceId] of INSTANCES.entries()) {
    const privateIpAddress = ADDRESSES.instance(index);
    const host = await fabric.addHost(`i${index}`, [privateIpAddress]);
    instances.push(new Child(host.namespace, 'elbv2/instance-process.mjs', [instanceId]));
    world.instances.set(instanceId, { instanceId, privateIpAddress } as Instance);
  }
  dataPlane = new AlbDataPlane({
    places: new NodePlaces({ world, fabric, directory: path.join(run.path, 'alb') }),
    haproxy: { rootDirectory: await prepareImage(RELEASE, 'baked', () => {}) },
    log: (line) => mistakes.push(line),
  });
  endpoint = await startAwsEndpoint({ services: [createElbv2Service({ world, dataPlane })] });
  const credentials = { accessKeyId: 'rehearsal', secretAccessKey: 'rehearsal' };
  elbv2 = new ElasticLoadBalancingV2Client({ region: REGION, endpoint: endpoint.url, credentials });
  const host = await fabric.addHost('client', [CLIENT]);
  client = new Client(host.namespace, 'elbv2/client-process.mjs', [], { CERTIFICATE: dataPlane.certificatePem });
  await Promise.all([...instances, client].map((child) => child.until(() => child.messages[0])));
}, 120_000);

afterAll(async () => {
  for (const child of [...instances, client]) child?.stop();
  elbv2?.destroy();
  await endpoint?.close();
  await dataPlane?.[Symbol.asyncDispose]();
  await run?.remove();
});

async function health(): Promise<Record<string, string | undefined>> {
  const { TargetHealthDescriptions } = await elbv2.send(
    new DescribeTargetHealthCommand({ TargetGroupArn: targetGroupArn }),
  );
  return Object.fromEntries(
    (TargetHealthDescriptions ?? []).map(({ Target, TargetHealth }) => [
      Target?.Id,
      `${TargetHealth?.State} ${TargetHealth?.Reason ?? ''}`.trim(),
    ]),
  );
}

async function untilHealth(instanceId: string | undefined, wanted: string | undefined): Promise<void> {
  for (const limit = Date.now() + 25_000; (await health())[instanceId ?? ''] !== wanted; await sleep(100)) {
    if (Date.now() > limit) throw new Error(`${instanceId} is not ${wanted}: ${JSON.stringify(await health())}`);
  }
}

const register = (...ids: readonly (string | undefined)[]) =>
  elbv2.send(new RegisterTargetsCommand({ TargetGroupArn: targetGroupArn, Targets: ids.map((Id) => ({ Id })) }));
const deregister = (...ids: readonly (string | undefined)[]) =>
  elbv2.send(new DeregisterTargetsCommand({ TargetGroupArn: targetGroupArn, Targets: ids.map((Id) => ({ Id })) }));
const groupAttributes = (attributes: Readonly<Record<string, string>>) =>
  elbv2.send(
    new ModifyTargetGroupAttributesCommand({
      TargetGroupArn: targetGroupArn,
      Attributes: Object.entries(attributes).map(([Key, Value]) => ({ Key, Value })),
    }),
  );
const attributes = (wanted: Readonly<Record<string, string>>) =>
  elbv2.send(
    new ModifyLoadBalancerAttributesCommand({
      LoadBalancerArn: loadBalancerArn,
      Attributes: Object.entries(wanted).map(([Key, Value]) => ({ Key, Value })),
    }),
  );
const forwardedFor = ({ headers }: Seen) => headers.filter(([name]) => name === 'x-forwarded-for').map(([, v]) => v);
const header = ({ headers }: Seen, wanted: string) => headers.find(([name]) => name === wanted)?.[1];

test('made by the API: nodes in each subnet, with network interfaces; targets are healthy after one check', async () => {
  const made = await elbv2.send(new CreateLoadBalancerCommand({ Name: 'web', Subnets: ['subnet-0', 'subnet-1'] }));
  loadBalancerArn = made.LoadBalancers?.[0]?.LoadBalancerArn ?? '';
  const group = await elbv2.send(
    new CreateTargetGroupCommand({
      Name: 'chat',
      Protocol: 'HTTP',
      Port: 80,
      VpcId: 'vpc-1',
      HealthCheckPort: '8078',
      HealthCheckPath: '/healthz',
      HealthCheckIntervalSeconds: 5,
      HealthCheckTimeoutSeconds: 2,
      HealthyThresholdCount: 2,
      UnhealthyThresholdCount: 2,
    }),
  );
  targetGroupArn = group.TargetGroups?.[0]?.TargetGroupArn ?? '';
  await register(INSTANCES[0], INSTANCES[1]);
  expect(await health()).toEqual({
    [INSTANCES[0] ?? '']: 'unused Target.NotInUse',
    [INSTANCES[1] ?? '']: 'unused Target.NotInUse',
  });
  await elbv2.send(
    new CreateListenerCommand({
      LoadBalancerArn: loadBalancerArn,
      Protocol: 'HTTPS',
      Port: 443,
      Certificates: [{ CertificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/web' }],
      DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroupArn }],
    }),
  );
  const redirect = await elbv2.send(
    new CreateListenerCommand({
      LoadBalancerArn: loadBalancerArn,
      Protocol: 'HTTP',
      Port: 80,
      DefaultActions: [
        { Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } },
      ],
    }),
  );
  redirectArn = redirect.Listeners?.[0]?.ListenerArn ?? '';

  const id = loadBalancerArn.split('/').at(-1);
  expect([...world.networkInterfaces.values()]).toMatchObject([
    { description: `ELB app/web/${id}`, privateIpAddress: nodeA, subnetId: 'subnet-0' },
    { description: `ELB app/web/${id}`, privateIpAddress: nodeB, subnetId: 'subnet-1' },
  ]);
  expect(dataPlane.addresses(loadBalancerArn)).toEqual([nodeA, nodeB]);
  await untilHealth(INSTANCES[0], 'healthy');
  await untilHealth(INSTANCES[1], 'healthy');
}, 60_000);

describe('what a target is told', () => {
  test('client, scheme and port; connections of the load balancer are shared by clients', async () => {
    const first = await client.seen(`https://${nodeA}/whoami?x=1`, {}, 'first');
    expect(first).toMatchObject({ peer: nodeA, path: '/whoami?x=1' });
    expect(forwardedFor(first)).toEqual([CLIENT]);
    expect(header(first, 'x-forwarded-proto')).toBe('https');
    expect(header(first, 'x-forwarded-port')).toBe('443');

    const all = [first];
    for (let index = 0; index < 5; index++) all.push(await client.seen(`https://${nodeA}/`));
    expect(new Set(all.map(({ instance }) => instance)).size).toBe(2);
    expect(new Set(all.map(({ instance, peerPort }) => `${instance} ${peerPort}`)).size).toBe(2);
  }, 30_000);

  const FORGED: readonly [string, Headers, readonly string[]][] = [
    ['none', {}, [CLIENT]],
    ['one', { 'x-forwarded-for': '192.0.2.1' }, [`192.0.2.1, ${CLIENT}`]],
    ['a list', { 'x-forwarded-for': '192.0.2.1, 192.0.2.2' }, [`192.0.2.1, 192.0.2.2, ${CLIENT}`]],
    ['the client’s own', { 'x-forwarded-for': CLIENT }, [`${CLIENT}, ${CLIENT}`]],
    ['two headers', { 'x-forwarded-for': ['192.0.2.1', '192.0.2.2'] }, ['192.0.2.1', '192.0.2.2', CLIENT]],
    ['an empty one', { 'x-forwarded-for': '' }, [`, ${CLIENT}`]],
  ];
  test.each(FORGED)('X-Forwarded-For, the client sends %s: its address is last', async (_, headers, expected) => {
    const seen = await client.seen(`https://${nodeA}/`, {
      ...headers,
      'x-forwarded-proto': 'forged',
      'x-forwarded-port': '1',
    });
    expect(forwardedFor(seen)).toEqual(expected);
    expect(seen.headers.filter(([name]) => /^x-forwarded-(proto|port)$/.test(name))).toEqual([
      ['x-forwarded-proto', 'https'],
      ['x-forwarded-port', '443'],
    ]);
  });

  test.each([
    ['preserve', ['192.0.2.1']],
    ['remove', []],
    ['append', [`192.0.2.1, ${CLIENT}`]],
  ])('X-Forwarded-For by attribute: %s', async (mode, expected) => {
    await attributes({ 'routing.http.xff_header_processing.mode': mode });
    expect(forwardedFor(await client.seen(`https://${nodeA}/`, { 'x-forwarded-for': '192.0.2.1' }))).toEqual(expected);
  });

  test('with the client’s port, where that is wanted', async () => {
    await attributes({ 'routing.http.xff_client_port.enabled': 'true' });
    expect(forwardedFor(await client.seen(`https://${nodeA}/`))[0]).toMatch(/^198\.51\.100\.10:\d+$/);
    await attributes({ 'routing.http.xff_client_port.enabled': 'false' });
  });
});

describe('rules', () => {
  test.each([
    ['/a/b?c=d', 'https://chat.example.com:443/a/b?c=d'],
    ['/', 'https://chat.example.com:443/'],
  ])('port 80 redirects %s', async (where, location) => {
    const { status, headers } = await client.get(`http://${nodeB}${where}`, { host: 'chat.example.com' });
    expect({ status, location: headers?.location }).toEqual({ status: 301, location });
  });

  test('the one of the lowest number that fits answers, else the default', async () => {
    const rule = (Priority: number, Field: string, Value: string, StatusCode: string) =>
      elbv2.send(
        new CreateRuleCommand({
          ListenerArn: redirectArn,
          Priority,
          Conditions: [{ Field, Values: [Value] }],
          Actions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode, MessageBody: 'it’s 100 %' } }],
        }),
      );
    await rule(20, 'path-pattern', '/status/*', '503');
    await rule(10, 'host-header', '*.example.org', '404');

    const get = (where: string, host: string) => client.get(`http://${nodeA}${where}`, { host });
    expect(await get('/status/1', 'a.example.com')).toMatchObject({ status: 503, body: 'it’s 100 %' });
    expect(await get('/status/1', 'A.EXAMPLE.ORG:80')).toMatchObject({ status: 404 });
    expect(await get('/statusX', 'a.example.com')).toMatchObject({ status: 301 });
  }, 30_000);
});

describe('stickiness', () => {
  const cookies = ({ headers }: Answer): string[] => [headers?.['set-cookie'] ?? []].flat();
  const instanceOf = ({ body }: Answer): string => (JSON.parse(body ?? '') as Seen).instance;

  test('without it there is no cookie; with it both, with every answer', async () => {
    expect(cookies(await client.get(`https://${nodeA}/`))).toEqual([]);
    await groupAttributes({ 'stickiness.enabled': 'true', 'stickiness.lb_cookie.duration_seconds': '60' });

    const got = cookies(await client.get(`https://${nodeA}/`));
    expect(got).toEqual([
      expect.stringMatching(/^AWSALB=\S+; Expires=\w{3}, .* GMT; Path=\/$/),
      expect.stringMatching(/^AWSALBCORS=\S+; Expires=.* GMT; Path=\/; SameSite=None; Secure$/),
    ]);
  });

  test.each([['AWSALB'], ['AWSALBCORS']])(
    'a client that sends %s stays, at every node; one that sends another does not',
    async (name) => {
      const first = await client.get(`https://${nodeA}/`);
      const cookie =
        cookies(first)
          .find((each) => each.startsWith(`${name}=`))
          ?.split(';')[0] ?? '';
      const stayed = new Set<string>();
      for (let index = 0; index < 6; index++) {
        stayed.add(instanceOf(await client.get(`https://${index % 2 ? nodeA : nodeB}/`, { cookie })));
      }
      expect([...stayed]).toEqual([instanceOf(first)]);
      const lost = new Set<string>();
      for (let index = 0; index < 4; index++)
        lost.add(instanceOf(await client.get(`https://${nodeA}/`, { cookie: `${name}=x` })));
      expect(lost.size).toBe(2);
    },
  );

  test('a target that is gone is as if there were no cookie', async () => {
    const first = await client.get(`https://${nodeA}/`);
    const cookie = (cookies(first)[0] ?? '').split(';')[0] ?? '';
    await deregister(instanceOf(first));

    expect(instanceOf(await client.get(`https://${nodeA}/`, { cookie }))).not.toBe(instanceOf(first));

    await register(instanceOf(first));
    await untilHealth(instanceOf(first), 'healthy');
    await groupAttributes({ 'stickiness.enabled': 'false' });
  }, 40_000);
});

describe('WebSockets', () => {
  test('an upgrade goes through, and outlives changes of the load balancer', async () => {
    const socket = await client.upgrade(`https://${nodeA}/ws/`);
    expect(socket).toMatchObject({ status: 101 });
    expect(forwardedFor(JSON.parse(socket.line ?? ''))).toEqual([CLIENT]);
    const burst = client.burst(`https://${nodeA}/`, 2_000);
    await register(INSTANCES[2]);
    await untilHealth(INSTANCES[2], 'healthy');

    expect((await client.say(socket)).line).toBe('hello');
    await client.close(socket);
    expect(Object.keys((await burst).counts ?? {}).every((each) => INSTANCES.includes(each))).toBe(true);
  }, 40_000);

  test('one without data ends after the idle timeout', async () => {
    await attributes({ 'idle_timeout.timeout_seconds': '2' });
    const socket = await client.upgrade(`https://${nodeA}/ws/`);
    const began = Date.now();
    expect((await client.closed(socket)) - began).toBeGreaterThan(1_500);
    await attributes({ 'idle_timeout.timeout_seconds': '60' });
  }, 30_000);
});

describe('deregistration', () => {
  test('what is under way is finished, nothing new goes there, and a kept connection goes elsewhere', async () => {
    await groupAttributes({ 'deregistration_delay.timeout_seconds': '30' });
    const kept = await client.seen(`https://${nodeA}/`, {}, 'kept');
    const slow = client.seen(`https://${nodeA}/slow`);
    const idle = client.seen(`https://${nodeA}/slow`, {}, 'idle');
    await sleep(300);

    await deregister(kept.instance);

    expect((await health())[kept.instance]).toMatch(/^(draining Target.DeregistrationInProgress|undefined)$/);
    expect((await client.seen(`https://${nodeA}/`, {}, 'kept')).instance).not.toBe(kept.instance);
    expect(await slow).toBeDefined();
    expect(await idle).toBeDefined();
    const { counts } = await client.burst(`https://${nodeA}/`, 1_000);
    expect(Object.keys(counts ?? {})).not.toContain(kept.instance);
    expect(Object.keys(counts ?? {}).every((each) => INSTANCES.includes(each))).toBe(true);
    // It does not wait for the delay where nothing is left.
    await untilHealth(kept.instance, undefined);
    await register(kept.instance);
    await untilHealth(kept.instance, 'healthy');
  }, 60_000);

  test('a WebSocket has the delay, and is ended then', async () => {
    await groupAttributes({ 'deregistration_delay.timeout_seconds': '2' });
    const socket = await client.upgrade(`https://${nodeB}/ws/`);
    const { instance } = JSON.parse(socket.line ?? '') as Seen;
    const began = Date.now();

    await deregister(instance);

    expect((await client.say(socket)).line).toBe('hello');
    expect((await health())[instance]).toBe('draining Target.DeregistrationInProgress');
    const lasted = (await client.closed(socket)) - began;
    expect(lasted).toBeGreaterThan(1_800);
    expect(lasted).toBeLessThan(10_000);
    expect((await health())[instance]).toBeUndefined();
    await register(instance);
    await untilHealth(instance, 'healthy');
  }, 60_000);
});

describe('health', () => {
  test('a target that fails its checks gets nothing; where all fail, all get some', async () => {
    instances[0]?.write('unhealthy');
    await untilHealth(INSTANCES[0], 'unhealthy Target.ResponseCodeMismatch');
    await sleep(6_000); // until the other node has found it, too
    const { counts } = await client.burst(`https://${nodeA}/`, 500);
    expect(Object.keys(counts ?? {}).sort()).toEqual([INSTANCES[1], INSTANCES[2]]);

    for (const each of instances) each.write('unhealthy');
    for (const each of INSTANCES) await untilHealth(each, 'unhealthy Target.ResponseCodeMismatch');
    await sleep(6_000);
    expect(Object.keys((await client.burst(`https://${nodeA}/`, 500)).counts ?? {}).sort()).toEqual(INSTANCES);
    for (const each of instances) each.write('healthy');
    for (const each of INSTANCES) await untilHealth(each, 'healthy');
  }, 120_000);

  test('without a target the answer is 503', async () => {
    await deregister(...INSTANCES);
    expect(await client.get(`https://${nodeA}/`)).toMatchObject({ status: 503 });
    await register(...INSTANCES);
  }, 30_000);
});

test('a deleted listener’s port takes nobody any more; a deleted load balancer leaves no interface', async () => {
  await elbv2.send(new DeleteListenerCommand({ ListenerArn: redirectArn }));
  expect(await client.get(`http://${nodeA}/`)).toMatchObject({ error: 'ECONNREFUSED' });
  await elbv2.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: loadBalancerArn }));
  expect(world.networkInterfaces.size).toBe(0);
  expect(Object.values(await health())).toEqual(INSTANCES.map(() => 'unused Target.NotInUse'));
  expect(mistakes).toEqual([]);
}, 30_000);
