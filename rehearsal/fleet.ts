/**
 * A fleet as a user has one before the switch: instances with nginx and the chat service, in `plain`, behind a Classic ELB
 * with a TCP and an SSL listener. All of it is made through the APIs, by the documents that ship.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConfigureHealthCheckCommand,
  CreateLoadBalancerCommand,
  DescribeInstanceHealthCommand,
  ModifyLoadBalancerAttributesCommand,
  RegisterInstancesWithLoadBalancerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import {
  type CommandInvocation,
  CreateDocumentCommand,
  ListCommandInvocationsCommand,
  SendCommandCommand,
} from '@aws-sdk/client-ssm';
import type { Environment } from './environment.ts';
import { startMachine } from './machines/machine.ts';
import { ADDRESSES } from './network/fabric.ts';
import { DIST } from './paths.ts';
import { ACCOUNT_ID, type Instance, type Machine, REGION } from './world.ts';

export const LOAD_BALANCER = 'chat-fleet';
export const FLEET_TAG = { key: 'proxyflip-fleet', value: 'chat' };
export const ARTIFACT_BUCKET = 'proxyflip-artifacts';
/** The Command document as one would make it by hand, to prepare instances before there is a stack. */
export const RECEIVER_DOCUMENT = 'chat-fleet-receiver';
export const HEALTH_PORT = 8078;
/** Fed by the TCP listener and by the SSL listener: the redirect and the application each have a port of their own. */
export const INSTANCE_PORTS = '80=http 81=https';

/** Half an hour would be the patience of SSM; an image without packages takes half a minute. Unit: milliseconds. */
const COMMAND_LIMIT_MS = 300_000;
const IN_SERVICE_LIMIT_MS = 120_000;

export interface Fleet {
  /** Grows where a scenario launches some; one that has ended stays, since its access log is still to be read. */
  readonly instances: Instance[];
  /** The chat service's parameters of the Command document, the runbook and the stack; absent where none of these install it. */
  readonly chat?: ChatParameters;
}

type ChatParameters = { readonly Chat: 'On'; readonly ChatArtifactUrl: string; readonly ChatArtifactSha256: string };

export type ChatFleet = Fleet & { readonly chat: ChatParameters };

export async function startFleet(environment: Environment, machines: number): Promise<ChatFleet> {
  const { say } = environment.options;
  say(`Booting ${machines} machines (${environment.options.release}, ${environment.options.image})`);
  const instances = await Promise.all(
    Array.from({ length: machines }, (_, index) => launchInstance(environment, index)),
  );

  const chat = await uploadChat(environment);
  await createLoadBalancer(environment);
  const { ssm } = environment.clients;
  await ssm.send(
    new CreateDocumentCommand({
      Name: RECEIVER_DOCUMENT,
      DocumentType: 'Command',
      DocumentFormat: 'JSON',
      Content: await readFile(path.join(DIST, 'ssm-documents/receiver.json'), 'utf8'),
    }),
  );
  say('Preparing the instances by the Command document: nginx in mode plain, and the chat service');
  await runReceiverDocument(environment, {
    Operation: 'SetMode',
    Mode: 'plain',
    InstancePorts: INSTANCE_PORTS,
    ...chat,
  });

  await registerInstances(environment, instances);
  await waitInService(environment, instances.length);
  return { instances, chat };
}

export async function registerInstances(environment: Environment, instances: readonly Instance[]): Promise<void> {
  await environment.clients.elb.send(
    new RegisterInstancesWithLoadBalancerCommand({
      LoadBalancerName: LOAD_BALANCER,
      Instances: instances.map(({ instanceId }) => ({ InstanceId: instanceId })),
    }),
  );
}

/** @param profile  the instance profile that it has from the beginning; undefined: none */
export async function launchInstance(environment: Environment, index: number, profile?: string): Promise<Instance> {
  const machine = await startMachine({
    name: `m${index}`,
    fabric: environment.fabric,
    privateIpAddress: ADDRESSES.instance(index),
    image: environment.machineImage,
    directory: environment.directory.path,
    files: await environment.instanceFiles(environment.machineImage),
  });
  environment.cleanup.use(`machine ${machine.name}`, machine);
  return enlist(environment, index, machine, profile);
}

/** The machine as an instance of the account. */
export function enlist(environment: Environment, index: number, machine: Machine, profile?: string): Instance {
  const instance: Instance = {
    instanceId: `i-0${environment.directory.runId}${String(index).padStart(10, '0')}`,
    privateIpAddress: machine.privateIpAddress,
    availabilityZone: `${REGION}${'ab'[index % 2]}`,
    tags: { [FLEET_TAG.key]: FLEET_TAG.value, Name: `chat-${index}` },
    machine,
    agentOnline: true,
    ...(profile !== undefined && { instanceProfile: profile }),
  };
  environment.world.instances.set(instance.instanceId, instance);
  return instance;
}

async function uploadChat(environment: Environment): Promise<ChatParameters> {
  const artifact = JSON.parse(await readFile(path.join(DIST, 'chat-artifact/chat-artifact.json'), 'utf8'));
  await environment.s3.putObject(
    ARTIFACT_BUCKET,
    artifact.file,
    await readFile(path.join(DIST, 'chat-artifact', artifact.file)),
  );
  return {
    Chat: 'On',
    ChatArtifactUrl: `http://${ADDRESSES.gateway}/${ARTIFACT_BUCKET}/${artifact.file}`,
    ChatArtifactSha256: artifact.sha256,
  };
}

/** What feeds which instance port, and what the health check asks. */
export interface LoadBalancerShape {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly healthCheck: string;
}

const FLEET_SHAPE: LoadBalancerShape = {
  httpPort: 80,
  httpsPort: 81,
  healthCheck: `HTTP:${HEALTH_PORT}/healthz`,
};

/** An account with a network, whatever is in it. */
type Account = Pick<Environment, 'clients' | 'world'> & { readonly options: Pick<Environment['options'], 'nodes'> };

export async function createLoadBalancer(
  environment: Account,
  name: string = LOAD_BALANCER,
  { httpPort, httpsPort, healthCheck }: LoadBalancerShape = FLEET_SHAPE,
): Promise<void> {
  const { elb } = environment.clients;
  await elb.send(
    new CreateLoadBalancerCommand({
      LoadBalancerName: name,
      // A load balancer has a node in each of its subnets at least.
      Subnets: [...environment.world.subnets.keys()].slice(0, environment.options.nodes),
      Listeners: [
        { Protocol: 'TCP', LoadBalancerPort: 80, InstanceProtocol: 'TCP', InstancePort: httpPort },
        {
          Protocol: 'SSL',
          LoadBalancerPort: 443,
          InstanceProtocol: 'TCP',
          InstancePort: httpsPort,
          SSLCertificateId: `arn:aws:acm:${REGION}:${ACCOUNT_ID}:certificate/chat`,
        },
      ],
    }),
  );
  await elb.send(
    new ConfigureHealthCheckCommand({
      LoadBalancerName: name,
      // Five seconds instead of the default 30 s and ten successes, so that a rehearsal does not take minutes to begin.
      HealthCheck: {
        Target: healthCheck,
        Interval: 5,
        Timeout: 2,
        UnhealthyThreshold: 2,
        HealthyThreshold: 2,
      },
    }),
  );
  await elb.send(
    new ModifyLoadBalancerAttributesCommand({
      LoadBalancerName: name,
      LoadBalancerAttributes: {
        CrossZoneLoadBalancing: { Enabled: true },
        ConnectionDraining: { Enabled: true, Timeout: 30 },
        ConnectionSettings: { IdleTimeout: 60 },
      },
    }),
  );
}

/** Run the Command document on the fleet by its tag, and wait for every instance. @throws Error naming those that failed */
export async function runReceiverDocument(
  environment: Environment,
  parameters: Readonly<Record<string, string>>,
): Promise<readonly CommandInvocation[]> {
  const { ssm } = environment.clients;
  const wanted = environment.world.instancesTagged(FLEET_TAG.key, [FLEET_TAG.value]).length;
  const { Command } = await ssm.send(
    new SendCommandCommand({
      DocumentName: RECEIVER_DOCUMENT,
      Targets: [{ Key: `tag:${FLEET_TAG.key}`, Values: [FLEET_TAG.value] }],
      Parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]])),
      MaxErrors: '100%',
    }),
  );
  const limit = Date.now() + COMMAND_LIMIT_MS;
  for (;;) {
    const { CommandInvocations = [] } = await ssm.send(
      new ListCommandInvocationsCommand({ CommandId: Command?.CommandId, Details: true }),
    );
    const ended = CommandInvocations.filter(
      ({ Status }) => !['Pending', 'InProgress', 'Delayed'].includes(Status ?? ''),
    );
    if (ended.length >= wanted) {
      const failed = ended.filter(({ Status }) => Status !== 'Success');
      if (failed.length === 0) return ended;
      const said = failed.map(
        (each) => `${each.InstanceId} ${each.StatusDetails}: ${each.CommandPlugins?.[0]?.Output?.trim()}`,
      );
      throw new Error(`the Command document failed on ${failed.length} of ${wanted} instances:\n${said.join('\n')}`);
    }
    if (Date.now() > limit)
      throw new Error(`the Command document has not ended on ${wanted - ended.length} of ${wanted} instances`);
    await sleep(200);
  }
}

export async function waitInService(
  environment: Environment,
  wanted: number,
  name: string = LOAD_BALANCER,
): Promise<void> {
  const { elb } = environment.clients;
  const limit = Date.now() + IN_SERVICE_LIMIT_MS;
  for (;;) {
    const { InstanceStates = [] } = await elb.send(new DescribeInstanceHealthCommand({ LoadBalancerName: name }));
    if (InstanceStates.filter(({ State }) => State === 'InService').length >= wanted) return;
    if (Date.now() > limit) {
      const seen = InstanceStates.map(({ InstanceId, State, Description }) => `${InstanceId} ${State}: ${Description}`);
      throw new Error(
        `not all of ${wanted} instances are InService after ${IN_SERVICE_LIMIT_MS / 1000} s: ${seen.join('; ')}`,
      );
    }
    await sleep(500);
  }
}
