/**
 * An AWS account as the suite's target: its default VPC, or CONTRACT_SUBNETS. Everything is made with the tag that `sweep.mjs`
 * looks for; nothing is removed here.
 */
import { resolve4 } from 'node:dns/promises';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DescribeInstancesCommand,
  DescribeSubnetsCommand,
  RunInstancesCommand,
  type Subnet,
} from '@aws-sdk/client-ec2';
import { DescribeLoadBalancersCommand } from '@aws-sdk/client-elastic-load-balancing';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { createClients, nameOf, TAG, type Target } from './target.ts';
import { until } from './until.ts';

const INSTANCE_TYPE = 't4g.nano';
/** Kept by AWS: the newest Amazon Linux 2023 for that type's architecture. */
const IMAGE_PARAMETER = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64';

export async function openRemoteTarget(): Promise<Target> {
  const clients = createClients();
  const subnets = await findSubnets(clients.ec2);
  const vpcId = subnets[0]?.VpcId ?? '';
  let securityGroup: Promise<string> | undefined;

  /** Open to the internet on the ports asked for first, and to itself on all: the load balancer and the instance are both in it. */
  const createSecurityGroup = async (ports: readonly number[]): Promise<string> => {
    const { GroupId = '' } = await clients.ec2.send(
      new CreateSecurityGroupCommand({
        GroupName: nameOf('open'),
        Description: 'Contract test of proxyflip; safe to delete',
        VpcId: vpcId,
        TagSpecifications: [{ ResourceType: 'security-group', Tags: [TAG] }],
      }),
    );
    await clients.ec2.send(
      new AuthorizeSecurityGroupIngressCommand({
        GroupId,
        IpPermissions: [
          ...ports.map((port) => ({
            IpProtocol: 'tcp',
            FromPort: port,
            ToPort: port,
            IpRanges: [{ CidrIp: '0.0.0.0/0' }],
          })),
          { IpProtocol: '-1', UserIdGroupPairs: [{ GroupId }] },
        ],
      }),
    );
    return GroupId;
  };

  return {
    clients,
    subnetIds: subnets.map(({ SubnetId = '' }) => SubnetId),
    async securityGroups(ports) {
      securityGroup ??= createSecurityGroup(ports);
      return [await securityGroup];
    },
    async launch(script) {
      const { Parameter } = await clients.ssm.send(new GetParameterCommand({ Name: IMAGE_PARAMETER }));
      const { Instances = [] } = await clients.ec2.send(
        new RunInstancesCommand({
          ImageId: Parameter?.Value,
          InstanceType: INSTANCE_TYPE,
          MinCount: 1,
          MaxCount: 1,
          SubnetId: subnets[0]?.SubnetId,
          SecurityGroupIds: securityGroup === undefined ? [] : [await securityGroup],
          UserData: Buffer.from(script).toString('base64'),
          MetadataOptions: { HttpTokens: 'required' },
          InstanceInitiatedShutdownBehavior: 'terminate',
          TagSpecifications: [{ ResourceType: 'instance', Tags: [TAG, { Key: 'Name', Value: nameOf('one') }] }],
        }),
      );
      const instanceId = Instances[0]?.InstanceId ?? '';
      await until(`instance ${instanceId} runs`, 300, async () => {
        const { Reservations = [] } = await clients.ec2
          .send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }))
          .catch((error: Error) => {
            // For a moment after it was made, EC2 may not know it everywhere.
            if (error.name !== 'InvalidInstanceID.NotFound') throw error;
            return { Reservations: [] };
          });
        return Reservations[0]?.Instances?.[0]?.State?.Name === 'running';
      });
      return instanceId;
    },
    async addresses(loadBalancerName) {
      const { LoadBalancerDescriptions = [] } = await clients.elb.send(
        new DescribeLoadBalancersCommand({ LoadBalancerNames: [loadBalancerName] }),
      );
      const dnsName = LoadBalancerDescriptions[0]?.DNSName ?? '';
      // A name that does not exist yet is remembered by resolvers for its zone's negative time to live, a minute.
      return until(`${dnsName} resolves`, 300, async () => {
        const addresses = await resolve4(dnsName).catch(() => []);
        if (addresses.length < subnets.length) await sleep(10_000);
        return addresses.length < subnets.length ? undefined : addresses;
      });
    },
    async connect(address, port) {
      const socket = net.connect({ host: address, port });
      await once(socket, 'connect');
      return socket;
    },
    async close() {},
  };
}

async function findSubnets(ec2: ReturnType<typeof createClients>['ec2']): Promise<Subnet[]> {
  const named = process.env.CONTRACT_SUBNETS?.split(',').map((each) => each.trim());
  const { Subnets = [] } = await ec2.send(
    new DescribeSubnetsCommand(
      named === undefined ? { Filters: [{ Name: 'default-for-az', Values: ['true'] }] } : { SubnetIds: named },
    ),
  );
  const two = Subnets.slice(0, 2);
  if (two.length === 2) return two;
  throw new Error(
    'the suite needs two subnets of one VPC in different zones, and this Region has no default VPC: set CONTRACT_SUBNETS=subnet-…,subnet-…',
  );
}
