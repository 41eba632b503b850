/**
 * An account as large as one likes, without a machine in it: the APIs are those of the rehearsal, no connection is ever carried, and
 * every command on every instance ends at once with what the caller says. For counting calls and time at scale.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type AwsEndpoint, startAwsEndpoint } from './aws/endpoint.ts';
import { createRateLimit, type RateLimit } from './aws/rate-limit.ts';
import type { CallRecord } from './aws/service.ts';
import type { DataPlane, InstanceHealth } from './elb/data-plane.ts';
import { createElbService, type ElbService } from './elb/service.ts';
import { createLambdaService, type LambdaService } from './lambda/service.ts';
import { createMonitoring, type Monitoring } from './monitoring.ts';
import { NODE24 } from './paths.ts';
import { createSsmService, type SsmService } from './ssm/service.ts';
import { ACCOUNT_ID, type Instance, REGION, World } from './world.ts';

export const POLICY = 'proxyflip';
export const TAG_KEY = 'proxyflip-fleet';

export interface PaperAccountOptions {
  readonly loadBalancers: number;
  /** Of each load balancer; no instance is registered with two. */
  readonly instances: number;
  /** The state parameter of a load balancer, as the last switch left it; undefined = it was never switched. */
  readonly state: (name: string, index: number) => string | undefined;
  /** What a command writes on an instance, on standard output. */
  readonly answer: (instance: Instance) => string;
  /** Of Elastic Load Balancing and Systems Manager, each a bucket of its own. undefined = as many as come. */
  readonly callsPerSecond?: number;
}

export interface PaperAccount extends AsyncDisposable {
  readonly world: World;
  readonly elb: ElbService;
  readonly ssm: SsmService;
  readonly lambda: LambdaService;
  readonly monitoring: Monitoring;
  readonly endpoint: AwsEndpoint;
  /** Since everything was there. */
  calls(): readonly CallRecord[];
  readonly rateLimit: RateLimit | undefined;
}

/** Every instance in service, as soon as it is registered. */
function paperDataPlane(elb: () => ElbService): DataPlane {
  const inService: InstanceHealth = { state: 'InService', reasonCode: 'N/A', description: 'N/A' };
  return {
    create: async () => {},
    update: async () => {},
    delete: async () => {},
    health: async (name) =>
      new Map([...elb().loadBalancers.get(name).instanceIds].map((instanceId) => [instanceId, inService])),
  };
}

export async function createPaperAccount(options: PaperAccountOptions): Promise<PaperAccount> {
  const world = new World();
  const directory = await mkdtemp(path.join(tmpdir(), 'proxyflip-paper-'));
  const dispatcher = () => endpoint.dispatcher;
  const elb: ElbService = createElbService({ world, dataPlane: paperDataPlane(() => elb) });
  const ssm = createSsmService({ world, dispatcher, options: { lateInvocationMs: 0, deliveryMs: 0 } });
  const monitoring = createMonitoring(dispatcher);
  const lambda = createLambdaService({
    nodeBinary: NODE24,
    endpointUrl: () => endpoint.url,
    directory,
    ...monitoring.lambda,
  });
  const endpoint: AwsEndpoint = await startAwsEndpoint({ services: [elb, ssm, lambda, ...monitoring.services] });
  await fill(world, endpoint, options);
  const rateLimit =
    options.callsPerSecond === undefined
      ? undefined
      : createRateLimit({
          callsPerSecond: options.callsPerSecond,
          bucketOf: ({ service }) => (['elasticloadbalancing', 'ssm'].includes(service) ? service : undefined),
        });
  if (rateLimit !== undefined) endpoint.intercept(rateLimit);
  const from = endpoint.dispatcher.calls.length;
  return {
    world,
    elb,
    ssm,
    lambda,
    monitoring,
    endpoint,
    rateLimit,
    calls: () => endpoint.dispatcher.calls.slice(from),
    async [Symbol.asyncDispose]() {
      await lambda.close();
      await monitoring.close();
      await ssm.close();
      await endpoint.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function fill(world: World, endpoint: AwsEndpoint, options: PaperAccountOptions): Promise<void> {
  const call = (service: string, action: string, input: object) => endpoint.dispatcher.call(service, action, input);
  world.subnets.set('subnet-0', {
    subnetId: 'subnet-0',
    vpcId: 'vpc-0',
    cidrBlock: '10.0.101.0/24',
    availabilityZone: `${REGION}a`,
  });
  for (let index = 0; index < options.loadBalancers; index += 1) {
    const LoadBalancerName = `fleet-${String(index).padStart(4, '0')}`;
    await call('elasticloadbalancing', 'CreateLoadBalancer', {
      LoadBalancerName,
      Subnets: ['subnet-0'],
      Listeners: [
        { Protocol: 'TCP', LoadBalancerPort: 80, InstanceProtocol: 'TCP', InstancePort: 80 },
        {
          Protocol: 'SSL',
          LoadBalancerPort: 443,
          InstanceProtocol: 'TCP',
          InstancePort: 81,
          SSLCertificateId: `arn:aws:acm:${REGION}:${ACCOUNT_ID}:certificate/fleet`,
        },
      ],
    });
    await call('elasticloadbalancing', 'ConfigureHealthCheck', {
      LoadBalancerName,
      HealthCheck: {
        Target: 'HTTP:8078/healthz',
        Interval: 30,
        Timeout: 5,
        UnhealthyThreshold: 2,
        HealthyThreshold: 2,
      },
    });
    const registered = Array.from({ length: options.instances }, (_, position) =>
      addInstance(world, LoadBalancerName, index * options.instances + position, options.answer),
    );
    await call('elasticloadbalancing', 'RegisterInstancesWithLoadBalancer', {
      LoadBalancerName,
      Instances: registered.map(({ instanceId }) => ({ InstanceId: instanceId })),
    });
    const Value = options.state(LoadBalancerName, index);
    if (Value === undefined) continue;
    await call('elasticloadbalancing', 'CreateLoadBalancerPolicy', {
      LoadBalancerName,
      PolicyName: POLICY,
      PolicyTypeName: 'ProxyProtocolPolicyType',
      PolicyAttributes: [{ AttributeName: 'ProxyProtocol', AttributeValue: 'true' }],
    });
    for (const InstancePort of [80, 81]) {
      await call('elasticloadbalancing', 'SetLoadBalancerPoliciesForBackendServer', {
        LoadBalancerName,
        InstancePort,
        PolicyNames: [POLICY],
      });
    }
    await call('ssm', 'PutParameter', { Name: `/proxyflip/${LoadBalancerName}`, Value, Type: 'String' });
  }
}

function addInstance(world: World, fleet: string, number: number, answer: (instance: Instance) => string): Instance {
  const privateIpAddress = `10.${1 + Math.floor(number / 65_536)}.${Math.floor(number / 256) % 256}.${number % 256}`;
  const instance: Instance = {
    instanceId: `i-${number.toString(16).padStart(17, '0')}`,
    privateIpAddress,
    availabilityZone: `${REGION}a`,
    tags: { [TAG_KEY]: fleet },
    agentOnline: true,
    machine: {
      name: `${fleet}-${number}`,
      privateIpAddress,
      isRunning: () => true,
      // The agent writes the script, which is fed to it, and then runs it.
      exec: async (_command, { stdin } = {}) => ({
        exitCode: 0,
        stdout: stdin === undefined ? answer(instance) : '',
        stderr: '',
      }),
      writtenFile: (file) => file,
      reboot: async () => {},
    },
  };
  world.instances.set(instance.instanceId, instance);
  return instance;
}
