/**
 * cloudformation/chat-fleet.yaml as a person deploys it: packaged, deployed and deleted by the AWS CLI, with all that is in it, on machines
 * that its Auto Scaling group launches.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { WebSocket } from 'ws';
import type { ClientMessage, ServerMessage } from '../../chat/protocol.ts';
import { Environment } from '../../rehearsal/environment.ts';
import { FOR_TESTS, requireLinuxAndRoot, requirePackages } from '../../rehearsal/host/packages.ts';
import { ADDRESSES, type NetworkHost } from '../../rehearsal/network/fabric.ts';
import { DIST } from '../../rehearsal/paths.ts';
import { trafficPlan } from '../../rehearsal/traffic/plan.ts';
import { startTraffic } from '../../rehearsal/traffic/traffic.ts';
import { ACCOUNT_ID, type Instance, REGION } from '../../rehearsal/world.ts';
import { aws } from './aws-cli.ts';
import { failures, packagedTemplate, stackOutputs, stackStatus, until } from './deployed-stack.ts';

const STACK = 'chat';
const SOURCES = Array.from({ length: 24 }, (_, index) => ADDRESSES.client(index));

let environment: Environment;
let folder: string;
let pagePort: number;
let clients: NetworkHost;
let deployed: Promise<unknown>;
let outputs: Readonly<Record<string, string>>;

const cli = <Answer>(...args: readonly string[]) => aws<Answer>(environment.endpoint.url, ...args);
const instances = (): Instance[] => [...environment.world.instances.values()];

beforeAll(async () => {
  requireLinuxAndRoot();
  await requirePackages(FOR_TESTS, console.log);
  folder = await mkdtemp(path.join(tmpdir(), 'proxyflip-fleet-'));
  pagePort = await freePort();
  environment = await Environment.start({
    // That of the instances, so that no launch waits for it to be made.
    image: 'amazon',
    release: 'bookworm',
    policyDelayMs: [500, 2_000],
    nodes: 2,
    apiPort: 0,
    pagePort,
    say: (line) => console.log(line),
  });
  clients = await environment.fabric.addHost('clients', SOURCES);
  const template = await packagedTemplate(environment, 'chat-fleet', folder);
  deployed = cli(
    ...['cloudformation', 'deploy', '--stack-name', STACK, '--template-file', template],
    ...['--capabilities', 'CAPABILITY_IAM', '--parameter-overrides', 'Cache=Valkey'],
    `CertificateArn=arn:aws:acm:${REGION}:${ACCOUNT_ID}:certificate/chat`,
    // Shorter than one would have them, so that the test is.
    ...['QuietSeconds=3', 'MeasureSeconds=60', 'DrainingSeconds=5'],
  );
  // Told when a test waits for it.
  deployed.catch(() => {});
  // The CLI itself looks every 30 s.
  await until('the stack is complete', async () =>
    /^(?!REVIEW).*_(COMPLETE|FAILED)$/.test(await stackStatus(environment, STACK)),
  );
  outputs = await stackOutputs(environment, STACK);
}, 300_000);
jest.setTimeout(60_000);

afterAll(async () => {
  await environment?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
}, 60_000);

describe('deployed by aws cloudformation deploy', () => {
  test('is complete, with PROXY protocol on and measured at every node', async () => {
    expect(await failures(environment)).toEqual([]);
    expect(outputs).toMatchObject({ ReceiverMode: 'proxy', Assumed: 'nothing', InstancePorts: '80=http 81=https' });
    expect(await deployed).toContain(`Successfully created/updated stack - ${STACK}`);
  });

  test('says in describe-stack-events what was made, in an order that can be undone', async () => {
    const { StackEvents } = await cli<{ StackEvents: { LogicalResourceId: string; ResourceStatus: string }[] }>(
      ...['cloudformation', 'describe-stack-events', '--stack-name', STACK],
    );
    const complete = StackEvents.filter(({ ResourceStatus }) => ResourceStatus === 'CREATE_COMPLETE')
      .map(({ LogicalResourceId }) => LogicalResourceId)
      .reverse();
    expect(complete[0]).toMatch(/^(Network|InstanceRole)$/);
    expect(complete.indexOf('LoadBalancer')).toBeLessThan(complete.indexOf('Fleet'));
    expect(complete.indexOf('Valkey')).toBeLessThan(complete.indexOf('Fleet'));
    expect(complete.slice(-3)).toEqual(['Fleet', 'Switch', STACK]);
  });

  test('serves the page at its address', async () => {
    const page = await get('/');
    expect(page.status).toBe(200);
    expect(page.body).toContain('<title>');
    expect(outputs.PageAddress).toBe(`https://${outputs.LoadBalancerDnsName}/`);
  });

  test('lets people on two instances talk', async () => {
    const [ann, bo] = await onTwoInstances();

    ann.say({ type: 'send', room: 'lobby', id: 'message-1', text: 'hello' });

    expect(await bo.next('message')).toMatchObject({ name: 'Ann', text: 'hello' });
    for (const person of [ann, bo]) person.socket.terminate();
  });
});

describe('security groups', () => {
  test.each([
    ['port 80', 80],
    ['port 81', 81],
    ['the health port', 8078],
  ])('nobody but the load balancer reaches %s of an instance', async (_, port) => {
    const [target, neighbour] = instances();
    const url = `http://${target?.privateIpAddress}:${port}/healthz`;
    const fromClient = await exitStatus('ip', 'netns', 'exec', clients.namespace, 'curl', ...CURL, url);
    const fromInstance = (await neighbour?.machine.exec(['curl', ...CURL, url]))?.exitCode;
    // On the instance itself it answers: that it is shut is not that nothing is there. A strict receiver may close (52, 56, 16).
    const fromItself = (await target?.machine.exec(['curl', ...CURL, url]))?.exitCode;
    expect({ fromClient, fromInstance }).toEqual({ fromClient: TIMED_OUT, fromInstance: TIMED_OUT });
    expect(fromItself).not.toBe(TIMED_OUT);
  });

  test('an instance reaches the nodes, which it asks while it measures', async () => {
    const [instance] = instances();
    const answer = await instance?.machine.exec(['curl', ...CURL, `http://${ADDRESSES.node(1)}/`]);
    expect(answer).toMatchObject({ exitCode: 0 });
  });
});

describe('under load', () => {
  test('scales out and in without a failed request or a dropped WebSocket', async () => {
    const before = instances().map(({ instanceId }) => instanceId);
    const traffic = startTraffic({
      command: ['ip', 'netns', 'exec', clients.namespace, process.execPath, path.join(DIST, 'rehearsal/traffic.mjs')],
      plan: trafficPlan({
        sources: SOURCES,
        targets: environment.dataPlane.addresses(outputs.LoadBalancerName ?? ''),
        tls: { servername: outputs.LoadBalancerDnsName ?? '', ca: environment.dataPlane.certificatePem },
        newConnections: { perSecond: 150, tlsShare: 0.5 },
        webSockets: { clients: 20 },
        phase: { name: 'proxy', modes: ['proxy'] },
      }),
    });
    try {
      await traffic.ready;
      await setDesiredCapacity(3);
      await until('three instances are in service', async () => (await inService()).length === 3);
      await sleep(5_000);
      const launched = instances().find(({ instanceId }) => !before.includes(instanceId));
      // No WebSocket is open to it: those have been there from the beginning.
      await cli(
        ...['autoscaling', 'terminate-instance-in-auto-scaling-group', '--should-decrement-desired-capacity'],
        ...['--instance-id', launched?.instanceId ?? ''],
      );
      await until('it is gone', async () => !environment.world.instances.has(launched?.instanceId ?? ''));
      await sleep(2_000);
      const counted = await traffic.stop();

      // With what failed and when, since a number alone tells nothing.
      const { failed, failures: kinds } = counted.newConnections;
      const when = counted.seconds.filter(({ failures }) => Object.keys(failures).length > 0);
      expect({ failed, kinds, when }).toEqual({ failed: 0, kinds: {}, when: [] });
      expect(counted.newConnections.sent).toBeGreaterThan(1_000);
      expect(counted.keepAlive.failed).toBe(0);
      expect(counted.webSockets).toMatchObject({ opened: 20, dropped: 0, messagesLost: 0, failedToOpen: 0 });
      expect(counted.clientAddress).toMatchObject({ wrong: 0, unverified: 0 });
      // The launched one has served, and knew the clients' addresses from its first answer.
      expect(Object.keys(counted.phases[0]?.byInstance ?? {})).toHaveLength(3);
      expect(counted.forged.believed).toBe(0);
    } finally {
      await traffic[Symbol.asyncDispose]();
    }
  }, 200_000);
});

describe('deleted by aws cloudformation delete-stack', () => {
  test('leaves nothing', async () => {
    const { Stacks } = await cli<{ Stacks: [{ StackId: string }] }>(
      'cloudformation',
      'describe-stacks',
      '--stack-name',
      STACK,
    );
    await cli('cloudformation', 'delete-stack', '--stack-name', STACK);
    const [{ StackId }] = Stacks;
    await until('the stack is gone', async () =>
      /^DELETE_(COMPLETE|FAILED)$/.test(await stackStatus(environment, StackId)),
    );

    expect(await stackStatus(environment, StackId)).toBe('DELETE_COMPLETE');
    const { world, iam, dataPlane } = environment;
    expect({
      instances: instances().length,
      interfaces: world.networkInterfaces.size,
      securityGroups: world.securityGroups.size,
      roles: [...iam.roles.keys()],
      profiles: [...iam.instanceProfiles.keys()],
      nodes: await exitStatus(
        'ip',
        'netns',
        'exec',
        clients.namespace,
        'curl',
        ...CURL,
        `http://${ADDRESSES.node(0)}/`,
      ),
    }).toEqual({ instances: 0, interfaces: 0, securityGroups: 0, roles: [], profiles: [], nodes: expect.any(Number) });
    expect(() => dataPlane.addresses(outputs.LoadBalancerName ?? '')).toThrow('has no load balancer');
    expect(await left()).toEqual({});
  }, 200_000);

  /** What the APIs still list, by what lists it. */
  async function left(): Promise<Record<string, unknown>> {
    const lists: readonly [command: string, query: string][] = [
      // The network that was there has no tags; those of a stack have.
      ['ec2 describe-vpcs', 'Vpcs[?Tags]'],
      ['ec2 describe-internet-gateways', 'InternetGateways'],
      ['ec2 describe-route-tables', 'RouteTables'],
      ['ec2 describe-security-groups', 'SecurityGroups'],
      ['ec2 describe-launch-templates', 'LaunchTemplates'],
      ['ec2 describe-instances', 'Reservations'],
      ['elb describe-load-balancers', 'LoadBalancerDescriptions'],
      ['autoscaling describe-auto-scaling-groups', 'AutoScalingGroups'],
      ['elasticache describe-replication-groups', 'ReplicationGroups'],
      ['ssm list-documents --filters Key=Owner,Values=Self', 'DocumentIdentifiers'],
      ['ssm get-parameters-by-path --recursive --path /proxyflip', 'Parameters'],
      ['cloudformation describe-stacks', 'Stacks'],
    ];
    const found = await Promise.all(
      lists.map(
        async ([command, query]): Promise<[string, unknown]> => [
          command,
          await cli(...command.split(' '), '--query', query),
        ],
      ),
    );
    return Object.fromEntries(found.filter(([, items]) => JSON.stringify(items) !== '[]'));
  }
});

const setDesiredCapacity = (count: number) =>
  cli(
    ...['autoscaling', 'set-desired-capacity', '--auto-scaling-group-name', outputs.AutoScalingGroupName ?? ''],
    ...['--desired-capacity', String(count)],
  );

async function inService(): Promise<string[]> {
  const { InstanceStates } = await cli<{ InstanceStates: { InstanceId: string; State: string }[] }>(
    ...['elb', 'describe-instance-health', '--load-balancer-name', outputs.LoadBalancerName ?? ''],
  );
  return InstanceStates.filter(({ State }) => State === 'InService').map(({ InstanceId }) => InstanceId);
}

/** curl's: 2 s, no answer. */
const CURL = ['--silent', '--max-time', '2', '--output', '/dev/null'];
const TIMED_OUT = 28;

function exitStatus(file: string, ...args: readonly string[]): Promise<number> {
  return new Promise((resolve) => execFile(file, args, (error) => resolve(error === null ? 0 : Number(error.code))));
}

/** The way of a browser: by the page's port into the rehearsal, under the load balancer's own name. */
const tls = () => ({
  host: '127.0.0.1',
  port: pagePort,
  servername: outputs.LoadBalancerDnsName ?? '',
  ca: environment.dataPlane.certificatePem,
});

async function get(urlPath: string): Promise<{ status: number | undefined; body: string }> {
  const request = https.get({ ...tls(), path: urlPath, headers: { host: outputs.LoadBalancerDnsName } });
  const [response] = await once(request, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, body };
}

class Person {
  readonly socket: WebSocket;
  readonly #inbox: ServerMessage[] = [];

  constructor() {
    const { host, port, ...secure } = tls();
    const headers = { host: secure.servername };
    this.socket = new WebSocket(`wss://${host}:${port}/ws/`, {
      ...secure,
      headers,
      origin: `https://${secure.servername}`,
    });
    this.socket.on('message', (data) => this.#inbox.push(JSON.parse(String(data)) as ServerMessage));
    this.socket.on('error', () => {});
  }

  say(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  async next<Type extends ServerMessage['type']>(type: Type): Promise<Extract<ServerMessage, { type: Type }>> {
    let found: ServerMessage | undefined;
    await until(`a message "${type}" has come`, async () => {
      found = this.#inbox.find((message) => message.type === type);
      return found !== undefined;
    });
    return found as Extract<ServerMessage, { type: Type }>;
  }
}

/** Joined, each on an instance of its own: connections go round. */
async function onTwoInstances(): Promise<[Person, Person]> {
  const first = new Person();
  const { instance } = await first.next('welcome');
  for (let attempt = 0; attempt < 10; attempt++) {
    const second = new Person();
    if ((await second.next('welcome')).instance !== instance) {
      for (const [person, name] of [
        [first, 'Ann'],
        [second, 'Bo'],
      ] as const) {
        person.say({ type: 'join', room: 'lobby', name });
        await person.next('joined');
      }
      return [first, second];
    }
    second.socket.terminate();
  }
  throw new Error('ten connections went to the same instance');
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
