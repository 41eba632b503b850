import type {
  AssociateRouteTableRequest,
  AssociateRouteTableResult,
  CreateRouteRequest,
  CreateRouteResult,
  CreateRouteTableRequest,
  CreateRouteTableResult,
  DeleteRouteRequest,
  DeleteRouteTableRequest,
  DescribeRouteTablesRequest,
  DescribeRouteTablesResult,
  DisassociateRouteTableRequest,
  RouteTable as RouteTableAnswer,
} from '@aws-sdk/client-ec2';
import { ServiceError } from '../../aws/service.ts';
import { ACCOUNT_ID } from '../../world.ts';
import { parseBlock } from '../addresses.ts';
import { type FilterValues, filtered } from '../filters.ts';
import { existing, newId, refuseOthers, requireUnused, tagList, tagsOf } from '../items.ts';
import { named } from '../named.ts';
import { paged } from '../paging.ts';
import type { Ec2Parts } from '../parts.ts';
import type { RouteTable } from '../vpc-store.ts';

const NOT_FOUND = 'InvalidRouteTableID.NotFound';

const FILTERS: FilterValues<RouteTable> = {
  'route-table-id': ({ routeTableId }) => [routeTableId],
  'vpc-id': ({ vpcId }) => [vpcId],
  'association.subnet-id': ({ associations }) => [...associations.values()],
};

/** Records, to internet gateways alone: the rehearsal's VPC and its internet are one link (rehearsal/README.md). */
export const routeTableActions = ({ world, vpcs }: Ec2Parts) => {
  const find = (id: string | undefined): RouteTable => existing(vpcs.routeTables, id, NOT_FOUND, 'routeTable ID');
  return {
    CreateRouteTable(input: CreateRouteTableRequest): CreateRouteTableResult {
      refuseOthers(input, ['VpcId', 'TagSpecifications']);
      const { vpcId } = vpcs.vpc(input.VpcId);
      const tags = tagsOf(input.TagSpecifications, 'route-table');
      const table: RouteTable = { routeTableId: newId('rtb'), vpcId, tags, routes: new Map(), associations: new Map() };
      vpcs.routeTables.set(table.routeTableId, table);
      return { RouteTable: describe(table) };
    },
    CreateRoute(input: CreateRouteRequest): CreateRouteResult {
      refuseOthers(input, ['RouteTableId', 'DestinationCidrBlock', 'GatewayId']);
      const { routes, vpcId } = find(input.RouteTableId);
      parseBlock(input.DestinationCidrBlock);
      const destination = input.DestinationCidrBlock ?? '';
      const gateway = existing(
        vpcs.internetGateways,
        input.GatewayId,
        'InvalidInternetGatewayID.NotFound',
        'internetGateway ID',
      );
      if (gateway.vpcId !== vpcId) {
        throw new ServiceError(
          'InvalidParameterValue',
          `route table ${input.RouteTableId} and network gateway ${gateway.internetGatewayId} belong to different networks`,
        );
      }
      if (routes.has(destination)) {
        throw new ServiceError('RouteAlreadyExists', `The route identified by ${destination} already exists.`);
      }
      routes.set(destination, { gatewayId: gateway.internetGatewayId });
      return { Return: true };
    },
    DeleteRoute(input: DeleteRouteRequest): Record<string, never> {
      refuseOthers(input, ['RouteTableId', 'DestinationCidrBlock']);
      if (!find(input.RouteTableId).routes.delete(input.DestinationCidrBlock ?? '')) {
        throw new ServiceError(
          'InvalidRoute.NotFound',
          `no route with destination-cidr-block ${input.DestinationCidrBlock} in route table ${input.RouteTableId}`,
        );
      }
      return {};
    },
    AssociateRouteTable(input: AssociateRouteTableRequest): AssociateRouteTableResult {
      refuseOthers(input, ['RouteTableId', 'SubnetId']);
      const table = find(input.RouteTableId);
      const { subnetId } = existing(world.subnets, input.SubnetId, 'InvalidSubnetID.NotFound', 'subnet ID');
      for (const { routeTableId, associations } of vpcs.routeTables.values()) {
        if ([...associations.values()].includes(subnetId)) {
          throw new ServiceError(
            'Resource.AlreadyAssociated',
            `the specified association for route table ${routeTableId} conflicts with an existing association`,
          );
        }
      }
      const AssociationId = newId('rtbassoc');
      table.associations.set(AssociationId, subnetId);
      return { AssociationId, AssociationState: { State: 'associated' } };
    },
    DisassociateRouteTable({ AssociationId = '' }: DisassociateRouteTableRequest): Record<string, never> {
      const table = [...vpcs.routeTables.values()].find(({ associations }) => associations.delete(AssociationId));
      if (table === undefined) {
        throw new ServiceError('InvalidAssociationID.NotFound', `The association ID '${AssociationId}' does not exist`);
      }
      return {};
    },
    DeleteRouteTable({ RouteTableId }: DeleteRouteTableRequest): Record<string, never> {
      const { routeTableId, associations } = find(RouteTableId);
      requireUnused('routeTable', routeTableId, [...associations.keys()]);
      vpcs.routeTables.delete(routeTableId);
      return {};
    },
    DescribeRouteTables(input: DescribeRouteTablesRequest): DescribeRouteTablesResult {
      const items = named(vpcs.routeTables, input.RouteTableIds, 'routeTable ID', NOT_FOUND);
      const { page, nextToken } = paged(
        filtered(items, input.Filters, FILTERS, ({ tags }) => tags),
        input,
      );
      return { RouteTables: page.map(describe), NextToken: nextToken };
    },
  };
};

const describe = ({ routeTableId, vpcId, routes, associations, tags }: RouteTable): RouteTableAnswer => ({
  RouteTableId: routeTableId,
  VpcId: vpcId,
  OwnerId: ACCOUNT_ID,
  Routes: [...routes].map(([destination, { gatewayId }]) => ({
    DestinationCidrBlock: destination,
    GatewayId: gatewayId,
    Origin: 'CreateRoute',
    State: 'active',
  })),
  Associations: [...associations].map(([id, subnetId]) => ({
    RouteTableAssociationId: id,
    RouteTableId: routeTableId,
    SubnetId: subnetId,
    Main: false,
  })),
  Tags: tagList(tags),
});
