/**
 * Whom the suite asks: the rehearsal, or with REMOTE=1 an AWS account by its default credentials. Beside what only one of them
 * can say (how an instance is started, how a node is reached), both are the SDK's own clients.
 */
import type { Socket } from 'node:net';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancingClient } from '@aws-sdk/client-elastic-load-balancing';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SSMClient } from '@aws-sdk/client-ssm';

export interface Clients {
  readonly cloudFormation: CloudFormationClient;
  readonly ec2: EC2Client;
  readonly elb: ElasticLoadBalancingClient;
  readonly lambda: LambdaClient;
  readonly ssm: SSMClient;
}

export interface Target {
  readonly clients: Clients;
  /** Of one VPC, in different zones. */
  readonly subnetIds: readonly string[];
  /** For a load balancer that is reached from outside on these ports; none where there is no firewall. */
  securityGroups(ports: readonly number[]): Promise<string[]>;
  /** Start an instance that runs this script as root when it boots. @returns its id */
  launch(script: string): Promise<string>;
  /** What the load balancer's name resolves to, once it does. */
  addresses(loadBalancerName: string): Promise<string[]>;
  connect(address: string, port: number): Promise<Socket>;
  close(): Promise<void>;
}

export const IS_REMOTE = process.env.REMOTE === '1';

/** Of this run: the name's end of everything that it makes, and the value of its tag. At most 8 letters and digits. */
export const RUN_ID = process.env.CONTRACT_RUN ?? 'local';
const PREFIX = 'proxyflip-contract';
export const TAG = { Key: PREFIX, Value: RUN_ID };

/** At most 32 characters with a word of up to 4, which a load balancer's name may have. */
export const nameOf = (word: string): string => `${PREFIX}-${RUN_ID}-${word}`;

export const createClients = (configuration: ConstructorParameters<typeof SSMClient>[0] = {}): Clients => ({
  cloudFormation: new CloudFormationClient(configuration),
  ec2: new EC2Client(configuration),
  elb: new ElasticLoadBalancingClient(configuration),
  lambda: new LambdaClient(configuration),
  ssm: new SSMClient(configuration),
});

export async function openTarget(): Promise<Target> {
  if (IS_REMOTE) return (await import('./remote-target.ts')).openRemoteTarget();
  return (await import('./rehearsal-target.ts')).openRehearsalTarget();
}
