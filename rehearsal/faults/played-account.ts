/**
 * The account with the product's stack in it, as it ships, and a fleet that is played: every API, Automation, Lambda and its processes
 * are those of the rehearsal; receivers answer as the Command document does, without doing it, and the nodes of the load balancer send what
 * its policies say, each after a while of its own. No connection is carried: at each change of either side it is looked whether every
 * receiver serves what every node sends. A switch takes a second, which leaves time for a fault at every call.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import {
  ElasticLoadBalancingClient,
  RegisterInstancesWithLoadBalancerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import { SSMClient } from '@aws-sdk/client-ssm';
import { createAutoScalingService } from '../autoscaling/service.ts';
import { type AwsEndpoint, startAwsEndpoint } from '../aws/endpoint.ts';
import { createStsService } from '../aws/sts.ts';
import { Cleanup } from '../cleanup.ts';
import { createCloudFormationService } from '../cloudformation/service.ts';
import { createEc2Service } from '../ec2/service.ts';
import type { Configuration, DataPlane, InstanceHealth } from '../elb/data-plane.ts';
import { createElbService, type ElbService } from '../elb/service.ts';
import { CREDENTIALS } from '../environment.ts';
import { createLoadBalancer, FLEET_TAG, LOAD_BALANCER } from '../fleet.ts';
import { createAuthorizer } from '../iam/authorizer.ts';
import { IamStore } from '../iam/store.ts';
import { createLambdaService, type LambdaService } from '../lambda/service.ts';
import { createMonitoring } from '../monitoring.ts';
import { NODE24 } from '../paths.ts';
import { createS3Service, type S3Service } from '../s3/service.ts';
import { systemClock } from '../ssm/clock.ts';
import { createSsmService, type SsmService } from '../ssm/service.ts';
import type { ReceiverMode } from '../traffic/client-address.ts';
import { AVAILABILITY_ZONES, type ExecOptions, type ExecResult, type Machine, REGION, World } from '../world.ts';

const NODES = ['10.0.101.21', '10.0.102.21'] as const;
const PORTS = [80, 81] as const;
/** A node takes a policy within this. Unit: milliseconds. */
const POLICY_DELAY_MS = 60;

type Kind = 'plain' | 'proxy';

/** A node's idea of the policies of one instance port. */
interface Feed {
  readonly node: string;
  readonly port: number;
  kind: Kind;
  /** Since when. Milliseconds since the epoch. */
  since: number;
}

class PlayedNodes implements DataPlane {
  readonly feeds: readonly Feed[] = NODES.flatMap((node) =>
    PORTS.map((port): Feed => ({ node, port, kind: 'plain', since: 0 })),
  );
  readonly #world: World;
  readonly #onChange: () => void;

  constructor(world: World, onChange: () => void) {
    this.#world = world;
    this.#onChange = onChange;
  }

  async create({ loadBalancerName, securityGroupIds }: Configuration): Promise<void> {
    const subnets = [...this.#world.subnets.keys()];
    for (const [index, privateIpAddress] of NODES.entries()) {
      const networkInterfaceId = `eni-0000000000000000${index}`;
      const subnetId = subnets[index] ?? '';
      const description = `ELB ${loadBalancerName}`;
      const item = { networkInterfaceId, description, privateIpAddress, subnetId, securityGroupIds };
      this.#world.networkInterfaces.set(networkInterfaceId, item);
    }
  }

  async update({ proxyPorts }: Configuration): Promise<void> {
    for (const feed of this.feeds) {
      const kind = proxyPorts.includes(feed.port) ? 'proxy' : 'plain';
      if (feed.kind === kind) continue;
      setTimeout(() => {
        feed.kind = kind;
        feed.since = Date.now();
        this.#onChange();
      }, Math.random() * POLICY_DELAY_MS);
    }
  }

  async delete(): Promise<void> {}

  async health(): Promise<ReadonlyMap<string, InstanceHealth>> {
    return new Map(
      [...this.#world.instances.keys()].map((id) => [
        id,
        { state: 'InService', reasonCode: 'N/A', description: 'N/A' } satisfies InstanceHealth,
      ]),
    );
  }
}

/** Says what `ssm-documents/scripts/receiver.sh` says of an instance that has all it needs. */
export class PlayedReceiver implements Machine {
  readonly name: string;
  readonly privateIpAddress: string;
  mode: ReceiverMode = 'plain';
  #acceptsBothSince = 0;
  readonly #feeds: readonly Feed[];
  readonly #onChange: () => void;

  constructor(name: string, privateIpAddress: string, feeds: readonly Feed[], onChange: () => void) {
    this.name = name;
    this.privateIpAddress = privateIpAddress;
    this.#feeds = feeds;
    this.#onChange = onChange;
  }

  isRunning(): boolean {
    return true;
  }

  async reboot(): Promise<void> {}

  writtenFile(file: string): string {
    return file;
  }

  async exec(_command: readonly string[], { env }: ExecOptions = {}): Promise<ExecResult> {
    const operation = env?.SSM_Operation;
    if (operation === undefined) return { exitCode: 0, stdout: '', stderr: '' };
    const before = this.mode;
    if (operation === 'SetMode') this.#set(env?.SSM_Mode as ReceiverMode);
    const answer =
      operation === 'Measure'
        ? this.#measured(env?.SSM_Nodes ?? '')
        : { mode: this.mode, before, changed: before !== this.mode, ready: true, intact: true };
    return { exitCode: 0, stdout: `${JSON.stringify(answer)}\n`, stderr: '' };
  }

  /** What some node sends to it and it does not serve. */
  get unserved(): string[] {
    if (this.mode === 'both') return [];
    return this.#feeds
      .filter(({ kind }) => kind !== this.mode)
      .map(({ node, port, kind }) => `${this.name} in ${this.mode} while ${node} sends ${kind} to ${port}`);
  }

  #set(mode: ReceiverMode): void {
    if (mode === 'both' && this.mode !== 'both') this.#acceptsBothSince = Date.now();
    this.mode = mode;
    this.#onChange();
  }

  #measured(nodes: string) {
    const now = Date.now();
    const seen = this.#feeds.flatMap(({ node, port, kind, since }) => {
      const other = kind === 'plain' ? 'proxy' : 'plain';
      const entry = [String(port), node, kind, 9, 0.01];
      // What came before HAProxy began to count it does not know.
      return since <= this.#acceptsBothSince ? [entry] : [entry, [String(port), node, other, 9, (now - since) / 1000]];
    });
    const probes = nodes
      .split(' ')
      .filter((each) => each !== '')
      .map((each) => this.#probe(each))
      .join('');
    const uptime = (now - this.#acceptsBothSince) / 1000;
    return { mode: this.mode, uptime, own: [this.privateIpAddress], seen, probes };
  }

  /** `10.0.101.21:443=https`: the TLS listener feeds 81. */
  #probe(listener: string): string {
    const [, node, listenerPort] = /^(.+):(\d+)=/.exec(listener) ?? [];
    const port = listenerPort === '443' ? 81 : 80;
    return this.#feeds.find((each) => each.node === node && each.port === port)?.kind === 'proxy' ? '1' : '0';
  }
}

export interface PlayedAccount extends AsyncDisposable {
  readonly world: World;
  readonly clients: {
    readonly elb: ElasticLoadBalancingClient;
    readonly ssm: SSMClient;
    readonly cloudFormation: CloudFormationClient;
  };
  readonly elb: ElbService;
  readonly ssm: SsmService;
  readonly s3: S3Service;
  readonly lambda: LambdaService;
  readonly endpoint: AwsEndpoint;
  readonly receivers: readonly PlayedReceiver[];
  /** What was not served since the last time that this was asked, a sentence each. */
  unserved(): string[];
}

/** @param machines  that are played */
export async function createPlayedAccount(machines: number): Promise<PlayedAccount> {
  const cleanup = new Cleanup();
  const directory = await mkdtemp(path.join(tmpdir(), 'proxyflip-played-'));
  cleanup.add('the directory', () => rm(directory, { recursive: true, force: true }));
  const world = new World();
  const dispatcher = () => endpoint.dispatcher;
  const complaints = new Set<string>();
  const look = (): void => {
    for (const { unserved } of receivers) for (const each of unserved) complaints.add(each);
  };
  const nodes = new PlayedNodes(world, look);
  const receivers = Array.from(
    { length: machines },
    (_, index) => new PlayedReceiver(`m${index}`, `10.0.1.${11 + index}`, nodes.feeds, look),
  );
  fill(world, receivers);

  const iam = new IamStore();
  const security = createAuthorizer({
    iam,
    facts: { assumeRoleOf: (name, version) => ssm.assumeRoleOf(name, version) },
  });
  const elb = createElbService({ world, dataPlane: nodes });
  const ssm: SsmService = createSsmService({
    world,
    dispatcher,
    security,
    // Its waits are the engine's own, and none of them is what is tried here.
    clock: { now: systemClock.now, sleep: (ms, signal) => systemClock.sleep(ms / CLOCK_DIVISOR, signal) },
    options: { lateInvocationMs: 0, deliveryMs: 0 },
  });
  cleanup.add('Systems Manager', () => ssm.close());
  const monitoring = createMonitoring(dispatcher);
  cleanup.add('alarms, schedules and events', () => monitoring.close());
  const s3 = createS3Service({ directory: path.join(directory, 's3'), security });
  const lambda = createLambdaService({
    nodeBinary: NODE24,
    endpointUrl: () => endpoint.url,
    directory: path.join(directory, 'lambda'),
    getObject: (bucket, key) => s3.getObject(bucket, key),
    security,
    // AWS waits a minute before it delivers an event again that failed, and then two.
    retryDelaysMs: [200, 400],
    ...monitoring.lambda,
  });
  cleanup.add("Lambda's functions", () => lambda.close());
  const cloudFormation = createCloudFormationService({
    dispatcher,
    iam,
    getObject: (bucket, key) => s3.getObject(bucket, key),
  });
  cleanup.add('CloudFormation', () => cloudFormation.close());
  const autoScaling = createAutoScalingService({
    world,
    call: (service, action, input) => dispatcher().call(service, action, input),
  });
  cleanup.add('Auto Scaling', () => autoScaling.close());
  const ec2 = createEc2Service({ world, machines: NO_MACHINES });
  const endpoint: AwsEndpoint = await startAwsEndpoint({
    services: [
      elb,
      ec2,
      autoScaling,
      ssm,
      lambda,
      cloudFormation,
      ...monitoring.services,
      createStsService(security),
      s3,
    ],
    interceptors: [security],
  });
  cleanup.add('the AWS endpoint', () => endpoint.close());

  const configuration = { region: REGION, endpoint: endpoint.url, credentials: CREDENTIALS };
  const clients = {
    elb: new ElasticLoadBalancingClient(configuration),
    ssm: new SSMClient(configuration),
    cloudFormation: new CloudFormationClient(configuration),
  };
  await createLoadBalancer({ clients, world, options: { nodes: NODES.length } });
  const Instances = [...world.instances.keys()].map((InstanceId) => ({ InstanceId }));
  await clients.elb.send(new RegisterInstancesWithLoadBalancerCommand({ LoadBalancerName: LOAD_BALANCER, Instances }));
  return {
    world,
    clients,
    elb,
    ssm,
    s3,
    lambda,
    endpoint,
    receivers,
    unserved() {
      const found = [...complaints];
      complaints.clear();
      return found;
    },
    [Symbol.asyncDispose]: () => cleanup[Symbol.asyncDispose](),
  };
}

const CLOCK_DIVISOR = 10;

const NO_MACHINES = {
  launch: async (): Promise<never> => {
    throw new Error('a played account launches no machine');
  },
  terminate: async (): Promise<never> => {
    throw new Error('a played account ends no machine');
  },
};

function fill(world: World, receivers: readonly PlayedReceiver[]): void {
  for (const [index, availabilityZone] of AVAILABILITY_ZONES.entries()) {
    const subnetId = `subnet-000000000000000${index}`;
    world.subnets.set(subnetId, { subnetId, vpcId: 'vpc-0', cidrBlock: `10.0.${101 + index}.0/24`, availabilityZone });
  }
  for (const [index, machine] of receivers.entries()) {
    const instanceId = `i-${String(index).padStart(17, '0')}`;
    world.instances.set(instanceId, {
      instanceId,
      privateIpAddress: machine.privateIpAddress,
      availabilityZone: AVAILABILITY_ZONES[index % 2] ?? AVAILABILITY_ZONES[0],
      tags: { [FLEET_TAG.key]: FLEET_TAG.value },
      machine,
      agentOnline: true,
    });
  }
}
