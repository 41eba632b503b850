import { randomBytes } from 'node:crypto';
import type { JsonObject } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import { requireUpdatable, unlessGone } from './made-by-api.ts';
import { text } from './properties.ts';
import { type Direction, RULE_PROPERTIES, toPermission } from './security-group-rules.ts';

/** AWS::EC2::SecurityGroupIngress and AWS::EC2::SecurityGroupEgress: one rule of a group that the template makes elsewhere. */
function rule(direction: Direction): ResourceType {
  const change = ({ GroupId, ...single }: JsonObject) => ({
    GroupId: text(GroupId),
    IpPermissions: [toPermission(single, direction)],
  });
  return {
    name: `AWS::EC2::SecurityGroup${direction}`,
    properties: ['GroupId', ...RULE_PROPERTIES[direction]],
    required: ['GroupId', 'IpProtocol'],
    replacedBy: ['GroupId', ...RULE_PROPERTIES[direction].filter((name) => name !== 'Description')],
    attributes: ['Id'],
    async create(properties, context) {
      await context.call('ec2', `AuthorizeSecurityGroup${direction}`, change(properties));
      const id = `sgr-0${randomBytes(8).toString('hex')}`;
      return { physicalResourceId: id, attributes: { Id: id } };
    },
    async update(existing, properties) {
      requireUpdatable(existing, properties, []);
      return existing;
    },
    delete: ({ properties }, context) =>
      unlessGone(
        context.call('ec2', `RevokeSecurityGroup${direction}`, change(properties)),
        /^Invalid(Group|Permission)\.NotFound$/,
      ),
  };
}

export const ec2SecurityGroupIngress = rule('Ingress');
export const ec2SecurityGroupEgress = rule('Egress');
