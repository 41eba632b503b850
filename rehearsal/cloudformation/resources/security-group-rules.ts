/** Rules as AWS::EC2::SecurityGroup and the two types of single rules write them, as EC2's actions take them. */
import { ResourceFailure } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { defined, number, text } from './properties.ts';

export type Direction = 'Ingress' | 'Egress';

const COMMON = ['IpProtocol', 'FromPort', 'ToPort', 'CidrIp', 'Description'];
export const RULE_PROPERTIES: Readonly<Record<Direction, readonly string[]>> = {
  Ingress: [...COMMON, 'SourceSecurityGroupId'],
  Egress: [...COMMON, 'DestinationSecurityGroupId'],
};

/** @throws ResourceFailure  a member that is not in the rehearsal, by name */
export function toPermission(rule: JsonObject, direction: Direction): Record<string, unknown> {
  const unknown = Object.keys(rule).filter((name) => !RULE_PROPERTIES[direction].includes(name));
  if (unknown.length > 0)
    throw new ResourceFailure(`#/SecurityGroup${direction}: extraneous key [${unknown[0]}] is not permitted`);
  const Description = text(rule.Description);
  const group = text(rule.SourceSecurityGroupId ?? rule.DestinationSecurityGroupId);
  const cidr = text(rule.CidrIp);
  return {
    ...defined({ IpProtocol: text(rule.IpProtocol), FromPort: number(rule.FromPort), ToPort: number(rule.ToPort) }),
    ...(cidr !== undefined && { IpRanges: [defined({ CidrIp: cidr, Description })] }),
    ...(group !== undefined && { UserIdGroupPairs: [defined({ GroupId: group, Description })] }),
  };
}

export function ruleList(value: Json | undefined): JsonObject[] {
  return (Array.isArray(value) ? value : []).filter(isObject);
}
