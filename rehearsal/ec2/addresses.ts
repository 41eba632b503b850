/** IPv4 networks as numbers: containment, overlap, and the next address that is free. */
import { ServiceError } from '../aws/service.ts';

interface Block {
  readonly first: number;
  readonly last: number;
}

const toNumber = (address: string): number => address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
const toAddress = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

/** @throws ServiceError InvalidParameterValue  not a network, or one with bits behind its length */
export function parseBlock(cidrBlock: string | undefined): Block {
  const [, address = '', length = ''] = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(cidrBlock ?? '') ?? [];
  const first = toNumber(address);
  const size = 2 ** (32 - Number(length));
  const isBlock = length !== '' && Number(length) <= 32 && address.split('.').every((part) => Number(part) <= 255);
  if (!isBlock || first % size !== 0) {
    throw new ServiceError(
      'InvalidParameterValue',
      `Value (${cidrBlock}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`,
    );
  }
  return { first, last: first + size - 1 };
}

export function isWithin(inner: string, outer: string): boolean {
  const [a, b] = [parseBlock(inner), parseBlock(outer)];
  return a.first >= b.first && a.last <= b.last;
}

export function overlaps(left: string, right: string): boolean {
  const [a, b] = [parseBlock(left), parseBlock(right)];
  return a.first <= b.last && b.first <= a.last;
}

/**
 * The first four addresses of a subnet and the last are AWS's. Source: VPC user guide, "Subnet sizing for IPv4".
 *
 * @param from  looked for from this one on, where the subnet is larger
 * @throws ServiceError InsufficientFreeAddressesInSubnet
 */
export function freeAddress(cidrBlock: string, used: ReadonlySet<string>, from = 4): string {
  const { first, last } = parseBlock(cidrBlock);
  for (let value = first + (first + from < last ? from : 4); value < last; value++) {
    const address = toAddress(value);
    if (!used.has(address)) return address;
  }
  throw new ServiceError('InsufficientFreeAddressesInSubnet', `There are not enough free addresses in ${cidrBlock}.`);
}
