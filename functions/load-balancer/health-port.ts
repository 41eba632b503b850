/** Whether the load balancer's security groups and subnets are let in at a port, by the rules of the instances' groups. Pure. */

/** As EC2 describes one; what is not asked is not there. */
export interface SecurityGroup {
  readonly GroupId?: string;
  readonly IpPermissions?: readonly IpPermission[];
}

interface IpPermission {
  readonly IpProtocol?: string;
  readonly FromPort?: number;
  readonly ToPort?: number;
  readonly UserIdGroupPairs?: readonly { readonly GroupId?: string }[];
  readonly IpRanges?: readonly { readonly CidrIp?: string }[];
}

export interface Source {
  readonly groupIds: readonly string[];
  /** Of the load balancer's subnets. */
  readonly cidrs: readonly string[];
}

/** A rule that names one of the load balancer's groups, or rules that cover all of its subnets. Network ACLs are not looked at. */
export function letsIn(groups: readonly SecurityGroup[], port: number, { groupIds, cidrs }: Source): boolean {
  const rules = groups.flatMap((each) => each.IpPermissions ?? []).filter((rule) => covers(rule, port));
  const peers = rules.flatMap((rule) => rule.UserIdGroupPairs ?? []).map((pair) => pair.GroupId ?? '');
  const ranges = rules.flatMap((rule) => rule.IpRanges ?? []).map((range) => range.CidrIp ?? '');
  return (
    peers.some((peer) => groupIds.includes(peer)) ||
    (cidrs.length > 0 && cidrs.every((cidr) => ranges.some((range) => contains(range, cidr))))
  );
}

function covers({ IpProtocol, FromPort = 0, ToPort = 65535 }: IpPermission, port: number): boolean {
  return IpProtocol === '-1' || (IpProtocol === 'tcp' && FromPort <= port && port <= ToPort);
}

/** `10.0.0.0/16` contains `10.0.101.0/24`. */
function contains(outer: string, inner: string): boolean {
  const [network, length] = parse(outer);
  const [address, longer] = parse(inner);
  return length <= longer && Math.floor(network / 2 ** (32 - length)) === Math.floor(address / 2 ** (32 - length));
}

function parse(cidr: string): readonly [address: number, length: number] {
  const [address = '', length = '32'] = cidr.split('/');
  return [address.split('.').reduce((bits, part) => bits * 256 + Number(part), 0), Number(length)];
}
