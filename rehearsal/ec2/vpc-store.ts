/** What of a VPC EC2 alone has to know; subnets and security groups are in the world, since load balancers are in them too. */
import { existing, type Tags } from './items.ts';

export interface Vpc {
  readonly vpcId: string;
  readonly cidrBlock: string;
  readonly tags: Tags;
  hasDnsSupport: boolean;
  hasDnsHostnames: boolean;
}

export interface InternetGateway {
  readonly internetGatewayId: string;
  readonly tags: Tags;
  vpcId: string | undefined;
}

export interface RouteTable {
  readonly routeTableId: string;
  readonly vpcId: string;
  readonly tags: Tags;
  /** By destination. */
  readonly routes: Map<string, { readonly gatewayId: string }>;
  /** Subnets by the association's id. */
  readonly associations: Map<string, string>;
}

export class VpcStore {
  readonly vpcs = new Map<string, Vpc>();
  readonly internetGateways = new Map<string, InternetGateway>();
  readonly routeTables = new Map<string, RouteTable>();
  /** By subnet. */
  readonly mapsPublicAddresses = new Map<string, boolean>();

  constructor(vpcs: readonly Pick<Vpc, 'vpcId' | 'cidrBlock'>[] = []) {
    for (const vpc of vpcs) {
      this.vpcs.set(vpc.vpcId, { ...vpc, tags: {}, hasDnsSupport: true, hasDnsHostnames: true });
    }
  }

  /** @throws ServiceError InvalidVpcID.NotFound */
  vpc(id: string | undefined): Vpc {
    return existing(this.vpcs, id, 'InvalidVpcID.NotFound', 'vpc ID');
  }
}
