/**
 * cloudformation/alb.yaml as docs/alb.md says: beside chat-fleet, deployed by npm run deploy and deleted by the AWS CLI, on machines that its Auto Scaling group
 * launches; receivers are strict towards the Classic Load Balancer all the while.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Environment } from '../../rehearsal/environment.ts';
import { FOR_TESTS, requireLinuxAndRoot, requirePackages } from '../../rehearsal/host/packages.ts';
import { ADDRESSES, type NetworkHost } from '../../rehearsal/network/fabric.ts';
import { ACCOUNT_ID, type Instance, REGION } from '../../rehearsal/world.ts';
import { asPerson, aws } from './aws-cli.ts';
import { BUCKET, failures, packagedTemplate, stackOutputs, stackStatus, until } from './deployed-stack.ts';

const FLEET = 'chat';
const ALB = 'chat-alb';
const CLIENT = ADDRESSES.client(0);
const CERTIFICATE = `CertificateArn=arn:aws:acm:${REGION}:${ACCOUNT_ID}:certificate/chat`;
/** Known before the load balancer is there, so that the receivers have them from their first switch on. */
const ALB_CIDRS = '10.0.111.0/24 10.0.112.0/24';
/** Shorter than one would have them, so that the test is. */
const FLEET_PARAMETERS = [
  CERTIFICATE,
  'QuietSeconds=3',
  'MeasureSeconds=60',
  'DrainingSeconds=5',
  `AlbCidrs=${ALB_CIDRS}`,
];

let environment: Environment;
let folder: string;
let clients: NetworkHost;
let fleet: Readonly<Record<string, string>>;
let alb: Readonly<Record<string, string>>;

const cli = <Answer>(...args: readonly string[]) => aws<Answer>(environment.endpoint.url, ...args);
const instances = (): Instance[] => [...environment.world.instances.values()];
const nodes = () => environment.albDataPlane.addresses(alb.LoadBalancerArn ?? '');

async function deploy(stack: string, template: string, parameters: readonly string[]): Promise<void> {
  const file = await packagedTemplate(environment, template, folder);
  const said = cli(
    ...['cloudformation', 'deploy', '--stack-name', stack, '--template-file', file],
    ...['--capabilities', 'CAPABILITY_IAM', '--parameter-overrides', ...parameters],
  );
  said.catch(() => {}); // told when it is waited for
  // The CLI itself looks every 30 s.
  await sleep(2_000);
  await until(`${stack} is complete`, async () => {
    const status = await stackStatus(environment, stack);
    return /_COMPLETE$|_FAILED$/.test(status) && !/^REVIEW|CLEANUP/.test(status);
  });
  expect(await failures(environment)).toEqual([]);
}

/** As docs/alb.md has it. */
async function deployByNpm(stack: string, template: string, parameters: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    'npm',
    [
      ...['run', '--silent', 'deploy', '--', '--bucket', BUCKET, '--template', template, '--stack', stack],
      ...parameters.flatMap((each) => ['--parameter', each]),
    ],
    { env: { ...process.env, ...asPerson(), AWS_ENDPOINT_URL: environment.endpoint.url } },
  );
  expect(await failures(environment)).toEqual([]);
  return stdout;
}

async function deleted(stack: string): Promise<string> {
  const { Stacks } = await cli<{ Stacks: [{ StackId: string }] }>(
    ...['cloudformation', 'describe-stacks', '--stack-name', stack],
  );
  await cli('cloudformation', 'delete-stack', '--stack-name', stack);
  const [{ StackId }] = Stacks;
  await until(`${stack} is gone`, async () =>
    /^DELETE_(COMPLETE|FAILED)$/.test(await stackStatus(environment, StackId)),
  );
  return stackStatus(environment, StackId);
}

/** From a client on the internet, under the load balancer's own name. */
async function curl(url: string, ...more: readonly string[]): Promise<string> {
  const name = alb.LoadBalancerDnsName ?? '';
  const resolve = [80, 443].map((port) => `${name}:${port}:${nodes()[0]}`).flatMap((each) => ['--resolve', each]);
  const args = ['--silent', '--show-error', '--max-time', '5', '--cacert', path.join(folder, 'ca.pem'), ...resolve];
  const { stdout } = await promisify(execFile)('ip', [
    'netns',
    'exec',
    clients.namespace,
    'curl',
    ...args,
    ...more,
    url,
  ]);
  return stdout;
}

async function targetHealth(): Promise<(string | undefined)[]> {
  const query = 'TargetHealthDescriptions[].TargetHealth.State';
  const arn = ['--target-group-arn', alb.TargetGroupArn ?? ''];
  return cli(...['elbv2', 'describe-target-health', ...arn, '--query', query]);
}

beforeAll(async () => {
  requireLinuxAndRoot();
  await requirePackages(FOR_TESTS, console.log);
  folder = await mkdtemp(path.join(tmpdir(), 'proxyflip-alb-'));
  environment = await Environment.start({
    image: 'amazon',
    release: 'bookworm',
    policyDelayMs: [500, 2_000],
    nodes: 2,
    apiPort: 0,
    pagePort: undefined,
    say: (line) => console.log(line),
  });
  await writeFile(path.join(folder, 'ca.pem'), environment.albDataPlane.certificatePem);
  clients = await environment.fabric.addHost('clients', [CLIENT]);
  await deploy(FLEET, 'chat-fleet', FLEET_PARAMETERS);
  fleet = await stackOutputs(environment, FLEET);
  const told = await deployByNpm(ALB, 'alb', [
    CERTIFICATE,
    `VpcId=${fleet.VpcId}`,
    `InstanceSecurityGroupId=${fleet.InstanceSecurityGroupId}`,
    `RouteTableId=${fleet.PublicRouteTableId}`,
    'Stickiness=On',
    'DrainingSeconds=5',
  ]);
  expect(told).toContain('aws cloudformation delete-stack --stack-name chat-alb');
  alb = await stackOutputs(environment, ALB);
}, 400_000);
jest.setTimeout(60_000);

afterAll(async () => {
  await environment?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
}, 60_000);

describe('beside the fleet', () => {
  test('is in subnets of its own, and the fleet is strict', () => {
    expect(fleet.ReceiverMode).toBe('proxy');
    expect(alb.AlbCidrs).toBe(ALB_CIDRS);
    expect(nodes().map((address) => address.replace(/\.\d+$/, ''))).toEqual(['10.0.111', '10.0.112']);
  });

  test('gets the fleet by an update of the fleet’s stack, and finds every instance healthy', async () => {
    const before = instances().map(({ instanceId }) => instanceId);
    await deployByNpm(FLEET, 'chat-fleet', [`TargetGroupArns=${alb.TargetGroupArn}`]);
    expect(instances().map(({ instanceId }) => instanceId)).toEqual(before);
    await until('all targets are healthy', async () => {
      const states = await targetHealth();
      return states.length === before.length && states.every((state) => state === 'healthy');
    });
  }, 200_000);
});

describe('a client behind it', () => {
  test('gets the page by https, and is led there from http', async () => {
    expect(await curl(`https://${alb.LoadBalancerDnsName}/`)).toContain('<title>');
    const headers = await curl(`http://${alb.LoadBalancerDnsName}/a?b=c`, '--head');
    expect(headers).toMatch(/^HTTP\/1.1 301 /);
    expect(headers.toLowerCase()).toContain(`location: https://${alb.LoadBalancerDnsName}:443/a?b=c`.toLowerCase());
  });

  test.each([
    ['says nothing', []],
    ['says that it is somebody else', ['--header', 'X-Forwarded-For: 203.0.113.9']],
  ])('is known by its own address, verified, where it %s', async (_, headers) => {
    const answer = JSON.parse(await curl(`https://${alb.LoadBalancerDnsName}/whoami`, ...headers));
    expect(answer).toMatchObject({ address: CLIENT, trusted: true, scheme: 'https' });
  });

  test('stays at one instance by its cookie', async () => {
    const jar = path.join(folder, 'cookies');
    const whoami = async () =>
      JSON.parse(await curl(`https://${alb.LoadBalancerDnsName}/whoami`, '--cookie', jar, '--cookie-jar', jar))
        .instance;
    const seen = new Set([await whoami(), await whoami(), await whoami(), await whoami()]);
    expect(seen.size).toBe(1);
  });

  test('opens a WebSocket', async () => {
    const key = ['--header', 'Sec-WebSocket-Version: 13', '--header', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];
    const upgrade = ['--http1.1', '--header', 'Connection: Upgrade', '--header', 'Upgrade: websocket', ...key];
    const origin = ['--header', `Origin: https://${alb.LoadBalancerDnsName}`];
    // It stays open, and curl gives up: what has come until then is on its standard output.
    const said = await curl(`https://${alb.LoadBalancerDnsName}/ws/`, '--include', ...upgrade, ...origin).catch(
      (error: { stdout?: string }) => error.stdout ?? '',
    );
    expect(said).toMatch(/^HTTP\/1.1 101 /);
  });

  test('reaches no instance by any other way', async () => {
    const [instance] = instances();
    for (const port of [80, 81, 8078]) {
      const tried = curl(`http://${instance?.privateIpAddress}:${port}/`, '--max-time', '2');
      await expect(tried).rejects.toMatchObject({ code: 28 });
    }
  });
});

describe('deleted', () => {
  test('once the fleet’s stack has given up the target group; the fleet serves on', async () => {
    await deploy(FLEET, 'chat-fleet', ['TargetGroupArns=']);
    expect(await targetHealth()).not.toContain('healthy');
    expect(await deleted(ALB)).toBe('DELETE_COMPLETE');

    const { world } = environment;
    expect([...world.networkInterfaces.values()].filter(({ description }) => /app\//.test(description))).toEqual([]);
    expect([...world.subnets.values()].filter(({ cidrBlock }) => ALB_CIDRS.includes(cidrBlock))).toEqual([]);
    const query = ['--query', 'InstanceStates[].State'];
    const classic = ['--load-balancer-name', fleet.LoadBalancerName ?? ''];
    expect(await cli('elb', 'describe-instance-health', ...classic, ...query)).toEqual(['InService', 'InService']);
  }, 200_000);
});
