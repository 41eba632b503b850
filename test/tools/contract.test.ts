/** `REMOTE=1 npm run test:contract`, with the rehearsal's APIs in the place of an account. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../rehearsal/aws/endpoint.ts';
import { type Service, ServiceError } from '../../rehearsal/aws/service.ts';
import { createStsService } from '../../rehearsal/aws/sts.ts';
import { type CloudFormationService, createCloudFormationService } from '../../rehearsal/cloudformation/service.ts';
import { createElbService, type ElbService } from '../../rehearsal/elb/service.ts';
import { IamStore } from '../../rehearsal/iam/store.ts';
import { createLambdaService, type LambdaService } from '../../rehearsal/lambda/service.ts';
import { createLogsService } from '../../rehearsal/logs/service.ts';
import { NODE24 } from '../../rehearsal/paths.ts';
import { createSsmService, type SsmService } from '../../rehearsal/ssm/service.ts';
import { World } from '../../rehearsal/world.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LIMIT_MS = 60_000;
const SUBNETS = ['subnet-1', 'subnet-2'];

let endpoint: AwsEndpoint;
let elb: ElbService;
let ssm: SsmService;
let lambda: LambdaService;
let cloudFormation: CloudFormationService;
let directory: string;
let child: ChildProcess | undefined;
let said = '';

beforeEach(async () => {
  const world = new World();
  for (const [index, subnetId] of SUBNETS.entries()) {
    const availabilityZone = `eu-central-1${'ab'[index]}`;
    world.subnets.set(subnetId, { subnetId, vpcId: 'vpc-1', cidrBlock: `10.0.${index}.0/24`, availabilityZone });
  }
  // Without nodes no network interface comes up: the suite waits for them, and is there to be interrupted.
  const dataPlane = { async create() {}, async update() {}, async delete() {}, health: async () => new Map() };
  elb = createElbService({ world, dataPlane });
  ssm = createSsmService({ world, dispatcher: () => endpoint.dispatcher });
  const ec2: Service = {
    signingName: 'ec2',
    protocol: 'ec2Query',
    actions: {
      DescribeSubnets: () => ({ Subnets: SUBNETS.map((SubnetId) => ({ SubnetId, VpcId: 'vpc-1' })) }),
      DescribeNetworkInterfaces: () => ({ NetworkInterfaces: [] }),
      DescribeInstances: () => ({ Reservations: [] }),
      DescribeSecurityGroups: () => ({ SecurityGroups: [] }),
    },
  };
  const getObject = () => Promise.reject(new Error('there is no object'));
  directory = await mkdtemp(path.join(tmpdir(), 'proxyflip-contract-'));
  lambda = createLambdaService({ nodeBinary: NODE24, endpointUrl: () => endpoint.url, directory, getObject });
  cloudFormation = createCloudFormationService({
    iam: new IamStore(),
    dispatcher: () => endpoint.dispatcher,
    getObject,
  });
  endpoint = await startAwsEndpoint({
    services: [elb, ec2, ssm, lambda, cloudFormation, createLogsService(), createStsService()],
  });
  said = '';
});
afterEach(async () => {
  if (child !== undefined && child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
  await Promise.all([ssm.close(), lambda.close(), cloudFormation.close()]);
  await endpoint.close();
  await rm(directory, { recursive: true });
});

/** In a process group of its own, as a shell starts it: Ctrl-C is a signal to all of it. */
function contract(environment: Record<string, string>, ...levels: string[]): ChildProcess {
  const started = spawn(process.execPath, ['tools/contract.mjs', ...levels], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      AWS_ENDPOINT_URL: endpoint.url,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'somebody',
      AWS_SECRET_ACCESS_KEY: 'any',
      CONTRACT_SUBNETS: SUBNETS.join(),
      REMOTE: '1',
      ...environment,
    },
  });
  for (const stream of [started.stdout, started.stderr]) {
    stream?.on('data', (text) => {
      said += text;
    });
  }
  child = started;
  return started;
}

const loadBalancers = (): string[] => [...elb.loadBalancers.all()].map(({ name }) => name);

test(
  'makes nothing before its cost is confirmed, and says where it would and what',
  async () => {
    const [status] = await once(contract({}), 'exit');

    expect(status).toBe(1);
    expect(said).toMatch(/^Account 111122223333, Region eu-central-1, as arn:aws:iam::111122223333:user\/somebody\.$/m);
    expect(said).toMatch(/a Classic Load Balancer without instances.*\$0\.04 \(an estimate\)/);
    expect(said).toContain('CONFIRM_COST=yes');
    expect(loadBalancers()).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'removes what it has made when it is interrupted',
  async () => {
    const running = contract({ CONFIRM_COST: 'yes' });
    while (loadBalancers().length === 0) {
      if (running.exitCode !== null) throw new Error(`it has ended:\n${said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    process.kill(-(running.pid ?? 0), 'SIGINT');
    const [status] = await once(running, 'exit');

    expect(status).not.toBe(0);
    expect(said).toMatch(/^removed load balancer proxyflip-contract-[0-9a-f]{8}-api$/m);
    expect(loadBalancers()).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'says what it could not remove, and removes the rest',
  async () => {
    endpoint.intercept({
      before: ({ action }) =>
        action === 'DeleteParameter' ? new ServiceError('AccessDeniedException', 'not you') : undefined,
    });
    const { dispatcher } = endpoint;
    await dispatcher.call('ssm', 'PutParameter', { Name: '/proxyflip-contract/1/x', Value: 'x', Type: 'String' });
    await dispatcher.call('elasticloadbalancing', 'CreateLoadBalancer', {
      LoadBalancerName: 'proxyflip-contract-1-api',
      Subnets: SUBNETS,
      Listeners: [{ Protocol: 'TCP', LoadBalancerPort: 80, InstancePort: 80 }],
      Tags: [{ Key: 'proxyflip-contract', Value: '1' }],
    });

    const [status] = await once(contract({ CONFIRM_COST: 'yes' }, 'sweep'), 'exit');

    expect({ status, left: loadBalancers() }).toEqual({ status: 1, left: [] });
    expect(said).toContain('parameter /proxyflip-contract/1/x was not removed: not you');
    expect(said).toContain('-- sweep, until it finds nothing');
  },
  LIMIT_MS,
);

test(
  'asks, tells what was seen, and removes what it has made',
  async () => {
    const [status] = await once(contract({ CONFIRM_COST: 'yes' }, 'stack'), 'exit');

    expect({ status, said }).toEqual({ status: 0, said: expect.stringMatching(/^A13 +holds /m) });
    expect(said).toMatch(/^ +seen: 21 invocations in \d+ s$/m);
    // The suite's own last question has removed everything already; the command finds nothing that it has missed.
    expect(said).toMatch(/✓ the stack is found and removed/);
    expect(said).toMatch(/^0 things removed\.$/m);
  },
  LIMIT_MS,
);
