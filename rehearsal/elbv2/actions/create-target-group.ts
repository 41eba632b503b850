import type { CreateTargetGroupInput, CreateTargetGroupOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceError } from '../../aws/service.ts';
import {
  checkName,
  DEFAULT_HEALTH_CHECK,
  HEALTH_INPUTS,
  healthCheckOf,
  portOf,
  protocolOf,
  refuseOthers,
  tagsOf,
  validationError,
} from '../checks.ts';
import { describeTargetGroup } from '../describe.ts';
import type { LoadBalancers } from '../model.ts';

/** A second of the name is an error, even with the same settings, for which AWS may answer with the first. */
export const createTargetGroup =
  (all: LoadBalancers) =>
  (input: CreateTargetGroupInput): CreateTargetGroupOutput => {
    const own = ['Name', 'Protocol', 'ProtocolVersion', 'Port', 'VpcId', 'TargetType', 'IpAddressType', 'Tags'];
    refuseOthers(input, [...own, ...HEALTH_INPUTS]);
    const name = input.Name ?? '';
    checkName('Target group', name);
    if ((input.TargetType ?? 'instance') !== 'instance') {
      throw validationError(`Target type '${input.TargetType}' is not in the rehearsal`);
    }
    if ((input.ProtocolVersion ?? 'HTTP1') !== 'HTTP1') {
      throw validationError(`Protocol version '${input.ProtocolVersion}' is not in the rehearsal`);
    }
    if ((input.IpAddressType ?? 'ipv4') !== 'ipv4') throw validationError('The rehearsal has IPv4 alone');
    if (input.VpcId === undefined) throw validationError('A VPC ID must be specified');
    if ([...all.targetGroups.values()].some((each) => each.name === name)) {
      throw new ServiceError('DuplicateTargetGroupName', `A target group with the name '${name}' already exists`);
    }
    const group = all.createTargetGroup({
      name,
      protocol: protocolOf('Protocol', input.Protocol),
      port: portOf('Port', input.Port),
      vpcId: input.VpcId,
      healthCheck: healthCheckOf(input, DEFAULT_HEALTH_CHECK),
      tags: tagsOf(new Map(), input.Tags),
    });
    return { TargetGroups: [describeTargetGroup(all, group)] };
  };
