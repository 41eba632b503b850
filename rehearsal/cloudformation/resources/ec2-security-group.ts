import { isSame, type JsonObject } from '../json.ts';
import type { ResourceContext, ResourceType } from '../resource-type.ts';
import { finishOrDelete, requireUpdatable, tagSpecifications, unlessGone } from './made-by-api.ts';
import { text } from './properties.ts';
import { type Direction, ruleList, toPermission } from './security-group-rules.ts';

const EVERYTHING = { IpProtocol: '-1', CidrIp: '0.0.0.0/0' };

export const ec2SecurityGroup: ResourceType = {
  name: 'AWS::EC2::SecurityGroup',
  properties: ['GroupName', 'GroupDescription', 'VpcId', 'SecurityGroupIngress', 'SecurityGroupEgress', 'Tags'],
  required: ['GroupDescription', 'VpcId'],
  replacedBy: ['GroupName', 'GroupDescription', 'VpcId'],
  attributes: ['GroupId', 'VpcId'],
  async create(properties, context) {
    const VpcId = text(properties.VpcId) ?? '';
    const { GroupId } = (await context.call('ec2', 'CreateSecurityGroup', {
      GroupName: text(properties.GroupName) ?? context.generateName(255),
      Description: text(properties.GroupDescription),
      VpcId,
      TagSpecifications: tagSpecifications('security-group', properties, context),
    })) as { GroupId: string };
    await finishOrDelete(GroupId, setRules(GroupId, {}, properties, context));
    return { physicalResourceId: GroupId, attributes: { GroupId, VpcId } };
  },
  async update(existing, properties, context) {
    requireUpdatable(existing, properties, ['SecurityGroupIngress', 'SecurityGroupEgress']);
    await setRules(existing.physicalResourceId, existing.properties, properties, context);
    return existing;
  },
  delete: ({ physicalResourceId }, context) =>
    unlessGone(context.call('ec2', 'DeleteSecurityGroup', { GroupId: physicalResourceId }), /^InvalidGroup\.NotFound$/),
};

/** What is to come first, so that nobody who is let in before and after is shut out between. */
async function setRules(
  groupId: string,
  before: JsonObject,
  after: JsonObject,
  context: ResourceContext,
): Promise<void> {
  for (const direction of ['Ingress', 'Egress'] as const) {
    const was = rulesOf(before, direction);
    const is = rulesOf(after, direction);
    for (const [verb, rules] of [
      ['Authorize', without(is, was)],
      ['Revoke', without(was, is)],
    ] as const) {
      if (rules.length === 0) continue;
      await context.call('ec2', `${verb}SecurityGroup${direction}`, {
        GroupId: groupId,
        IpPermissions: rules.map((rule) => toPermission(rule, direction)),
      });
    }
  }
}

/** Without rules for it, a group lets everything out; that is also what EC2 makes a new one with. */
function rulesOf(properties: JsonObject, direction: Direction): JsonObject[] {
  const rules = ruleList(properties[`SecurityGroup${direction}`]);
  return direction === 'Egress' && rules.length === 0 ? [EVERYTHING] : rules;
}

const without = (rules: readonly JsonObject[], others: readonly JsonObject[]): JsonObject[] =>
  rules.filter((rule) => !others.some((other) => isSame(rule, other)));
