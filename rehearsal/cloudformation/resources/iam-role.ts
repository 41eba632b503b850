import { randomBytes } from 'node:crypto';
import { type IamStore, iamArn, type Role } from '../../iam/store.ts';
import { ResourceFailure } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { ResourceContext, ResourceType } from '../resource-type.ts';
import { attachable, readPolicy } from './iam-policies.ts';
import { text, texts } from './properties.ts';

export function iamRole(iam: IamStore): ResourceType {
  /** Policies of other resources on the same role stay. */
  function setDocuments(role: Role, before: JsonObject, after: JsonObject, context: ResourceContext): void {
    const trust = readPolicy(iam, after.AssumeRolePolicyDocument, 'trust', 'AssumeRolePolicyDocument', context);
    const inline = inlinePolicies(after).map(
      ([name, document]) => [name, readPolicy(iam, document, 'identity', name, context)] as const,
    );
    const managed = texts(after.ManagedPolicyArns).map((arn) => attachable(iam, arn));
    role.trust = trust;
    for (const [name] of inlinePolicies(before)) role.inlinePolicies.delete(name);
    for (const [name, statements] of inline) role.inlinePolicies.set(name, statements);
    for (const arn of texts(before.ManagedPolicyArns)) role.managedPolicyArns.delete(arn);
    for (const { arn } of managed) role.managedPolicyArns.add(arn);
  }

  return {
    name: 'AWS::IAM::Role',
    properties: [
      'RoleName',
      'Path',
      'AssumeRolePolicyDocument',
      'Policies',
      'ManagedPolicyArns',
      'Description',
      'MaxSessionDuration',
      'Tags',
    ],
    required: ['AssumeRolePolicyDocument'],
    replacedBy: ['RoleName', 'Path'],
    attributes: ['Arn', 'RoleId'],
    capability: ({ RoleName }) => (RoleName === undefined ? 'CAPABILITY_IAM' : 'CAPABILITY_NAMED_IAM'),
    async create(properties, context) {
      const name = text(properties.RoleName) ?? context.generateName(64);
      if (iam.roles.has(name)) {
        throw new ResourceFailure(
          `Resource handler returned message: "Role with name ${name} already exists. (Service: Iam, Status Code: 409)" (HandlerErrorCode: AlreadyExists)`,
        );
      }
      const role: Role = {
        name,
        arn: iamArn('role', text(properties.Path) ?? '/', name),
        id: `AROA${randomBytes(8).toString('hex').toUpperCase().slice(0, 16)}`,
        trust: [],
        inlinePolicies: new Map(),
        managedPolicyArns: new Set(),
      };
      setDocuments(role, {}, properties, context);
      iam.roles.set(name, role);
      return { physicalResourceId: name, attributes: { Arn: role.arn, RoleId: role.id } };
    },
    async update({ physicalResourceId, attributes, properties: before }, properties, context) {
      const role = iam.roles.get(physicalResourceId);
      if (role === undefined) throw new ResourceFailure(`The role with name ${physicalResourceId} cannot be found.`);
      setDocuments(role, before, properties, context);
      return { physicalResourceId, attributes };
    },
    async delete({ physicalResourceId, properties }) {
      const role = iam.roles.get(physicalResourceId);
      if (role === undefined) return;
      const own = inlinePolicies(properties).map(([name]) => name);
      const foreign = [...role.inlinePolicies.keys()].filter((name) => !own.includes(name));
      const attached = [...role.managedPolicyArns].filter((arn) => !texts(properties.ManagedPolicyArns).includes(arn));
      if (foreign.length + attached.length > 0) {
        throw new ResourceFailure(
          `Cannot delete entity, must detach all policies first. (${[...foreign, ...attached].join(', ')})`,
        );
      }
      iam.roles.delete(physicalResourceId);
    },
  };
}

function inlinePolicies({ Policies: policies }: JsonObject): [string, JsonObject][] {
  return (Array.isArray(policies) ? (policies as readonly Json[]) : []).filter(isObject).map((policy) => {
    const { PolicyName: name, PolicyDocument: document } = policy;
    if (name === undefined || !isObject(document)) {
      throw new ResourceFailure('#/Policies: required keys [PolicyName, PolicyDocument] not found');
    }
    return [String(name), document];
  });
}
