/** `REMOTE=1 npm run test:contract`, with the rehearsal's APIs in the place of an account. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../rehearsal/aws/endpoint.ts';
import type { Service } from '../../rehearsal/aws/service.ts';
import { createStsService } from '../../rehearsal/aws/sts.ts';
import { createElbService, type ElbService } from '../../rehearsal/elb/service.ts';
import { createSsmService, type SsmService } from '../../rehearsal/ssm/service.ts';
import { World } from '../../rehearsal/world.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LIMIT_MS = 60_000;
const SUBNETS = ['subnet-1', 'subnet-2'];

let endpoint: AwsEndpoint;
let elb: ElbService;
let ssm: SsmService;
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
    },
  };
  endpoint = await startAwsEndpoint({ services: [elb, ec2, ssm, createStsService()] });
  said = '';
});
afterEach(async () => {
  if (child !== undefined && child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
  await ssm.close();
  await endpoint.close();
});

/** In a process group of its own, as a shell starts it: Ctrl-C is a signal to all of it. */
function contract(environment: Record<string, string>): ChildProcess {
  const started = spawn(process.execPath, ['tools/contract.mjs'], {
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
