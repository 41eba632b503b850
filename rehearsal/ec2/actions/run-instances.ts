import type { Instance as InstanceAnswer, Reservation, RunInstancesRequest } from '@aws-sdk/client-ec2';
import { ServiceError } from '../../aws/service.ts';
import { ACCOUNT_ID, type Instance } from '../../world.ts';
import { freeAddress } from '../addresses.ts';
import { architectureOf, MACHINE_IMAGES } from '../images.ts';
import { existing, newId, refuseOthers, tagsOf } from '../items.ts';
import type { Ec2Parts } from '../parts.ts';
import { describeInstance } from './describe-instances.ts';

/**
 * From a launch template alone. Answers when the machines have booted and their user data has run, where EC2 answers before: whoever
 * finds an instance here finds a running one.
 */
export const runInstances = ({ world, machines, launchTemplates }: Ec2Parts) => {
  /** Of machines that boot just now. */
  const reserved = new Set<string>();

  function takeAddress(cidrBlock: string): string {
    const used = new Set([
      ...reserved,
      ...[...world.instances.values(), ...world.networkInterfaces.values()].map((each) => each.privateIpAddress),
    ]);
    const address = freeAddress(cidrBlock, used);
    reserved.add(address);
    return address;
  }

  return async (input: RunInstancesRequest): Promise<Reservation> => {
    refuseOthers(input, ['LaunchTemplate', 'SubnetId', 'MinCount', 'MaxCount', 'TagSpecifications']);
    if (input.LaunchTemplate === undefined) {
      throw new ServiceError(
        'MissingParameter',
        'The request must contain the parameter LaunchTemplate: the rehearsal launches from nothing else',
      );
    }
    const template = launchTemplates.find(input.LaunchTemplate);
    const { data } = launchTemplates.version(template, input.LaunchTemplate.Version);
    const subnet = existing(world.subnets, input.SubnetId, 'InvalidSubnetID.NotFound', 'subnet ID');
    const image = existing(MACHINE_IMAGES, data.ImageId, 'InvalidAMIID.NotFound', 'image id');
    const instanceType = data.InstanceType ?? 'm1.small';
    if (architectureOf(instanceType) !== image.architecture) {
      throw new ServiceError(
        'InvalidParameterValue',
        `The architecture '${architectureOf(instanceType)}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.`,
      );
    }
    const securityGroupIds = (data.SecurityGroupIds ?? []).map(
      (id) => existing(world.securityGroups, id, 'InvalidGroup.NotFound', 'security group').groupId,
    );
    const specifications = [...(data.TagSpecifications ?? []), ...(input.TagSpecifications ?? [])].filter(
      // Volumes are not in the rehearsal.
      ({ ResourceType }) => ResourceType !== 'volume',
    );
    const tags = tagsOf(specifications, 'instance');

    const launchOne = async (): Promise<Instance> => {
      const instanceId = newId('i');
      const privateIpAddress = takeAddress(subnet.cidrBlock);
      try {
        const userData = Buffer.from(data.UserData ?? '', 'base64').toString();
        const machine = await machines.launch({ instanceId, privateIpAddress, imageId: image.imageId, userData });
        const instance: Instance = {
          instanceId,
          privateIpAddress,
          availabilityZone: subnet.availabilityZone,
          tags,
          machine,
          agentOnline: true,
          launch: {
            subnetId: subnet.subnetId,
            securityGroupIds,
            imageId: image.imageId,
            instanceType,
            iamInstanceProfileArn: data.IamInstanceProfile?.Arn,
            launchedAt: new Date(),
          },
        };
        world.instances.set(instanceId, instance);
        return instance;
      } finally {
        reserved.delete(privateIpAddress);
      }
    };
    const instances = await Promise.all(Array.from({ length: input.MaxCount ?? 1 }, launchOne));
    await world.networkChanged();
    return {
      ReservationId: newId('r'),
      OwnerId: ACCOUNT_ID,
      Instances: instances.map((instance): InstanceAnswer => describeInstance(instance, world)),
    };
  };
};
