import type {
  AttachInternetGatewayRequest,
  CreateInternetGatewayRequest,
  CreateInternetGatewayResult,
  DeleteInternetGatewayRequest,
  DescribeInternetGatewaysRequest,
  DescribeInternetGatewaysResult,
  DetachInternetGatewayRequest,
  InternetGateway as InternetGatewayAnswer,
} from '@aws-sdk/client-ec2';
import { ServiceError } from '../../aws/service.ts';
import { ACCOUNT_ID } from '../../world.ts';
import { type FilterValues, filtered } from '../filters.ts';
import { existing, newId, refuseOthers, requireUnused, tagList, tagsOf } from '../items.ts';
import { named } from '../named.ts';
import { paged } from '../paging.ts';
import type { Ec2Parts } from '../parts.ts';
import type { InternetGateway } from '../vpc-store.ts';

const NOT_FOUND = 'InvalidInternetGatewayID.NotFound';

const FILTERS: FilterValues<InternetGateway> = {
  'internet-gateway-id': ({ internetGatewayId }) => [internetGatewayId],
  'attachment.vpc-id': ({ vpcId }) => (vpcId === undefined ? [] : [vpcId]),
};

/** Records: the rehearsal's VPC and its internet are one link (rehearsal/README.md). */
export const internetGatewayActions = ({ world, vpcs }: Ec2Parts) => {
  const find = (id: string | undefined): InternetGateway =>
    existing(vpcs.internetGateways, id, NOT_FOUND, 'internetGateway ID');
  return {
    CreateInternetGateway(input: CreateInternetGatewayRequest): CreateInternetGatewayResult {
      refuseOthers(input, ['TagSpecifications']);
      const tags = tagsOf(input.TagSpecifications, 'internet-gateway');
      const gateway: InternetGateway = { internetGatewayId: newId('igw'), tags, vpcId: undefined };
      vpcs.internetGateways.set(gateway.internetGatewayId, gateway);
      return { InternetGateway: describe(gateway) };
    },
    AttachInternetGateway(input: AttachInternetGatewayRequest): Record<string, never> {
      const gateway = find(input.InternetGatewayId);
      const { vpcId } = vpcs.vpc(input.VpcId);
      if (gateway.vpcId !== undefined) {
        throw new ServiceError(
          'Resource.AlreadyAssociated',
          `resource ${gateway.internetGatewayId} is already attached to network ${gateway.vpcId}`,
        );
      }
      gateway.vpcId = vpcId;
      return {};
    },
    DetachInternetGateway(input: DetachInternetGatewayRequest): Record<string, never> {
      const gateway = find(input.InternetGatewayId);
      if (gateway.vpcId === undefined || gateway.vpcId !== input.VpcId) {
        throw new ServiceError(
          'Gateway.NotAttached',
          `resource ${gateway.internetGatewayId} is not attached to network ${input.VpcId}`,
        );
      }
      // What has a public address keeps the gateway; here that is whatever is in a subnet of the VPC.
      const isInVpc = (subnetId: string | undefined): boolean =>
        world.subnets.get(subnetId ?? '')?.vpcId === input.VpcId;
      const used = [
        ...[...world.instances.values()]
          .filter(({ launch }) => isInVpc(launch?.subnetId))
          .map((each) => each.instanceId),
        ...[...world.networkInterfaces.values()]
          .filter(({ subnetId }) => isInVpc(subnetId))
          .map(({ networkInterfaceId }) => networkInterfaceId),
      ];
      if (used.length > 0) {
        throw new ServiceError(
          'DependencyViolation',
          `Network ${input.VpcId} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway. (${used[0]})`,
        );
      }
      gateway.vpcId = undefined;
      return {};
    },
    DeleteInternetGateway({ InternetGatewayId }: DeleteInternetGatewayRequest): Record<string, never> {
      const { internetGatewayId, vpcId } = find(InternetGatewayId);
      requireUnused('internetGateway', internetGatewayId, vpcId === undefined ? [] : [vpcId]);
      vpcs.internetGateways.delete(internetGatewayId);
      return {};
    },
    DescribeInternetGateways(input: DescribeInternetGatewaysRequest): DescribeInternetGatewaysResult {
      const items = named(vpcs.internetGateways, input.InternetGatewayIds, 'internetGateway ID', NOT_FOUND);
      const { page, nextToken } = paged(
        filtered(items, input.Filters, FILTERS, ({ tags }) => tags),
        input,
      );
      return { InternetGateways: page.map(describe), NextToken: nextToken };
    },
  };
};

const describe = ({ internetGatewayId, vpcId, tags }: InternetGateway): InternetGatewayAnswer => ({
  InternetGatewayId: internetGatewayId,
  OwnerId: ACCOUNT_ID,
  Attachments: vpcId === undefined ? [] : [{ State: 'available' as never, VpcId: vpcId }],
  Tags: tagList(tags),
});
