import type {
  DescribeInstanceInformationRequest,
  DescribeInstanceInformationResult,
  InstanceInformation,
} from '@aws-sdk/client-ssm';
import { ServiceError } from '../../aws/service.ts';
import type { Instance } from '../../world.ts';
import { page } from '../paging.ts';
import { isOnline } from '../run-command/run-command.ts';
import type { SsmContext } from './context.ts';

export const describeInstanceInformation =
  (context: SsmContext) =>
  (input: DescribeInstanceInformationRequest): DescribeInstanceInformationResult => {
    // Two forms of the same: Filters {Key, Values}, and the older InstanceInformationFilterList {key, valueSet}.
    const filters = [
      ...(input.Filters ?? []).map(({ Key = '', Values = [] }) => ({ key: Key, values: Values })),
      ...(input.InstanceInformationFilterList ?? []).map(({ key = '', valueSet = [] }) => ({ key, values: valueSet })),
    ];
    const matching = context.world
      .managedInstances()
      .filter((instance) =>
        filters.every(({ key, values }) => values.includes(filterValue(context, instance, key) ?? '\u0000')),
      );
    const { items, NextToken } = page(matching, input as Parameters<typeof page>[1], { min: 5, max: 50, default: 50 });
    return {
      InstanceInformationList: items.map((instance) => describe(context, instance)),
      ...(NextToken === undefined ? {} : { NextToken }),
    };
  };

function filterValue(context: SsmContext, instance: Instance, key: string): string | undefined {
  switch (key) {
    case 'InstanceIds':
      return instance.instanceId;
    case 'PingStatus':
      return pingStatus(instance);
    case 'PlatformTypes':
      return 'Linux';
    case 'ResourceType':
      return 'EC2Instance';
    case 'AgentVersion':
      return context.options.agentVersion(instance);
    default:
      if (key.startsWith('tag:')) return instance.tags[key.slice('tag:'.length)];
      throw new ServiceError('InvalidFilterKey', `The filter key ${key} is not supported by the rehearsal.`);
  }
}

const pingStatus = (instance: Instance): 'Online' | 'ConnectionLost' =>
  isOnline(instance) ? 'Online' : 'ConnectionLost';

function describe({ options, clock }: SsmContext, instance: Instance): InstanceInformation {
  return {
    InstanceId: instance.instanceId,
    PingStatus: pingStatus(instance),
    LastPingDateTime: new Date(clock.now()),
    AgentVersion: options.agentVersion(instance),
    IsLatestVersion: true,
    PlatformType: 'Linux',
    PlatformName: 'Debian GNU/Linux',
    ResourceType: 'EC2Instance',
    IPAddress: instance.privateIpAddress,
    ComputerName: instance.machine.name,
    SourceId: instance.instanceId,
    SourceType: 'AWS::EC2::Instance',
  };
}
