/**
 * Where load balancers' nodes are: an address in a subnet, a host on the network, a network interface that EC2 lists. One for an
 * account, since load balancers of both kinds may share subnets.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { freeAddress } from '../ec2/addresses.ts';
import { ADDRESSES, type Fabric, type NetworkHost } from '../network/fabric.ts';
import { type NetworkInterface, REGION, type Subnet, type World } from '../world.ts';
import { type Certificate, createCertificate } from './certificate.ts';

export interface NodePlacesOptions {
  readonly world: World;
  readonly fabric: Pick<Fabric, 'addHost' | 'removeHost'>;
  /** Each node keeps its files in one of its own below it. */
  readonly directory: string;
}

export interface NodePlace {
  readonly address: string;
  readonly subnet: Subnet;
  readonly host: NetworkHost;
  readonly networkInterface: NetworkInterface;
  /** The node's own. */
  readonly directory: string;
}

/** Enough addresses for the certificate of a run: nodes of several load balancers, and those added later. */
const CERTIFICATE_ADDRESSES = 32;

export class NodePlaces {
  /** Of every listener with TLS, whatever certificate it names. */
  readonly certificate: Certificate;
  readonly #options: NodePlacesOptions;
  readonly #taken = new Set<string>();

  constructor(options: NodePlacesOptions) {
    this.#options = options;
    const addresses = Array.from({ length: CERTIFICATE_ADDRESSES }, (_, index) => ADDRESSES.node(index));
    this.certificate = createCertificate([`*.${REGION}.elb.amazonaws.com`, ...addresses]);
  }

  /** The network interface is not listed yet: see `show`. @param description  of that interface */
  async take(subnet: Subnet, description: string, securityGroupIds: readonly string[]): Promise<NodePlace> {
    const address = this.#freeAddress(subnet);
    this.#taken.add(address);
    const host = await this.#options.fabric.addHost(hostName(address), [address]);
    const networkInterface: NetworkInterface = {
      networkInterfaceId: `eni-0${randomBytes(8).toString('hex')}`,
      description,
      privateIpAddress: address,
      subnetId: subnet.subnetId,
      securityGroupIds,
    };
    return {
      address,
      subnet,
      host,
      networkInterface,
      directory: path.join(this.#options.directory, hostName(address)),
    };
  }

  /** List the interfaces, in the groups that the load balancer is in now. */
  async show(places: readonly NodePlace[], securityGroupIds: readonly string[]): Promise<void> {
    const { world } = this.#options;
    for (const { networkInterface } of places) {
      world.networkInterfaces.set(networkInterface.networkInterfaceId, { ...networkInterface, securityGroupIds });
    }
    await world.networkChanged();
  }

  async release({ address, networkInterface }: NodePlace): Promise<void> {
    const { world, fabric } = this.#options;
    world.networkInterfaces.delete(networkInterface.networkInterfaceId);
    await fabric.removeHost(hostName(address));
    this.#taken.delete(address);
    await world.networkChanged();
  }

  #freeAddress({ cidrBlock }: Subnet): string {
    return freeAddress(cidrBlock, this.#taken, FIRST_ADDRESS);
  }
}

/** As `ADDRESSES.node` has them in the subnets of the fabric. */
const FIRST_ADDRESS = 21;
const hostName = (address: string) => `node-${address.replaceAll('.', '-')}`;
