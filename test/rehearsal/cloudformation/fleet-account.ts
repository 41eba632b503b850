/** Everything that chat-fleet.yaml needs, with a network, machines and a data plane that are only written down. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAutoScalingService } from '../../../rehearsal/autoscaling/service.ts';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import { type CloudFormationService, createCloudFormationService } from '../../../rehearsal/cloudformation/service.ts';
import { PUBLIC_PARAMETERS } from '../../../rehearsal/ec2/images.ts';
import type { LaunchRequest } from '../../../rehearsal/ec2/parts.ts';
import { createEc2Service } from '../../../rehearsal/ec2/service.ts';
import { createElastiCacheService } from '../../../rehearsal/elasticache/service.ts';
import type { Configuration, InstanceHealth } from '../../../rehearsal/elb/data-plane.ts';
import { createElbService } from '../../../rehearsal/elb/service.ts';
import { createElbv2Service } from '../../../rehearsal/elbv2/service.ts';
import { createLambdaService } from '../../../rehearsal/lambda/service.ts';
import { writeZip } from '../../../rehearsal/lambda/zip.ts';
import { createMonitoring } from '../../../rehearsal/monitoring.ts';
import { NODE24 } from '../../../rehearsal/paths.ts';
import { createSsmService } from '../../../rehearsal/ssm/service.ts';
import { type Machine, World } from '../../../rehearsal/world.ts';
import { PaperPlane } from '../elbv2/paper-plane.ts';

/** Where the functions' archives and the templates are. */
export const BUCKET = 'artifacts';

export interface FleetAccount {
  readonly endpoint: AwsEndpoint;
  readonly world: World;
  readonly cloudFormation: CloudFormationService;
  /** By load balancer, as its data plane was told last. */
  readonly loadBalancers: ReadonlyMap<string, Configuration>;
  readonly albs: PaperPlane;
  readonly launched: readonly LaunchRequest[];
  /** By bucket and key. */
  readonly objects: Map<string, Uint8Array>;
  /** What the next launches fail with; '' = they do not. */
  refuseLaunches: string;
  call(service: string, action: string, input?: Record<string, unknown>): Promise<unknown>;
  close(): Promise<void>;
}

export async function startFleetAccount(): Promise<FleetAccount> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pf-fleet-account-'));
  const world = new World();
  const objects = new Map<string, Uint8Array>();
  const launched: LaunchRequest[] = [];
  const loadBalancers = new Map<string, Configuration>();
  const keep = async (configuration: Configuration): Promise<void> => {
    loadBalancers.set(configuration.loadBalancerName, configuration);
  };
  const albs = new PaperPlane();
  const getObject = async (bucket: string, key: string): Promise<Uint8Array> => {
    // A function that nobody calls: none of these stacks switches.
    if (bucket === BUCKET && key.endsWith('.zip')) return writeZip([{ name: 'index.js', data: Buffer.from('') }]);
    const found = objects.get(`${bucket}/${key}`);
    if (found === undefined) throw new Error(`there is no ${bucket}/${key}`);
    return found;
  };
  const dispatcher = () => account.endpoint.dispatcher;
  const autoScaling = createAutoScalingService({ world, call: (...call) => dispatcher().call(...call) });
  const ssm = createSsmService({ world, dispatcher, publicParameters: PUBLIC_PARAMETERS });
  const monitoring = createMonitoring(dispatcher);
  const lambda = createLambdaService({
    nodeBinary: NODE24,
    endpointUrl: () => account.endpoint.url,
    directory,
    getObject,
    ...monitoring.lambda,
  });
  const cloudFormation = createCloudFormationService({ dispatcher, getObject });
  const endpoint = await startAwsEndpoint({
    services: [
      createElbService({
        world,
        dataPlane: {
          create: keep,
          update: keep,
          async delete(name) {
            loadBalancers.delete(name);
          },
          health: async () => new Map<string, InstanceHealth>(),
        },
      }),
      createElbv2Service({ world, dataPlane: albs }),
      createEc2Service({
        world,
        machines: {
          async launch(request): Promise<Machine> {
            if (account.refuseLaunches !== '') throw new Error(account.refuseLaunches);
            launched.push(request);
            return { name: request.instanceId, isRunning: () => true } as Machine;
          },
          async terminate() {},
        },
      }),
      autoScaling,
      createElastiCacheService({ world, servers: { async start() {}, async stop() {} } }),
      ssm,
      lambda,
      cloudFormation,
      ...monitoring.services,
    ],
  });
  const account = {
    endpoint,
    world,
    cloudFormation,
    loadBalancers,
    albs,
    launched,
    objects,
    refuseLaunches: '',
    call: (service: string, action: string, input: Record<string, unknown> = {}) =>
      endpoint.dispatcher.call(service, action, input),
    async close() {
      await cloudFormation.close();
      await autoScaling.close();
      await monitoring.close();
      await ssm.close();
      await lambda.close();
      await endpoint.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return account;
}
