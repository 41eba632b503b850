import { randomBytes } from 'node:crypto';
import { ResourceFailure } from '../errors.ts';
import { type IamStore, iamArn, type MutableRole } from '../iam.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import { object, text, texts } from './properties.ts';

export function iamRole(iam: IamStore): ResourceType {
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
      'PermissionsBoundary',
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
      const role: MutableRole = {
        name,
        arn: iamArn('role', text(properties.Path) ?? '/', name),
        id: `AROA${randomBytes(8).toString('hex').toUpperCase().slice(0, 16)}`,
        assumeRolePolicyDocument: {},
        inlinePolicies: new Map(),
        managedPolicyArns: new Set(),
      };
      setDocuments(role, {}, properties);
      iam.roles.set(name, role);
      return { physicalResourceId: name, attributes: { Arn: role.arn, RoleId: role.id } };
    },
    async update({ physicalResourceId, attributes, properties: before }, properties) {
      const role = iam.roles.get(physicalResourceId);
      if (role === undefined) throw new ResourceFailure(`The role with name ${physicalResourceId} cannot be found.`);
      setDocuments(role, before, properties);
      return { physicalResourceId, attributes };
    },
    async delete({ physicalResourceId, properties }) {
      const role = iam.roles.get(physicalResourceId);
      if (role === undefined) return;
      const own = inlinePolicies(properties).map(([name]) => name);
      const foreign = [...role.inlinePolicies.keys()].filter((name) => !own.includes(name));
      if (foreign.length > 0) {
        throw new ResourceFailure(`Cannot delete entity, must delete policies first. (${foreign.join(', ')})`);
      }
      iam.roles.delete(physicalResourceId);
    },
  };
}

/** Policies of other resources on the same role stay. */
function setDocuments(role: MutableRole, before: JsonObject, after: JsonObject): void {
  role.assumeRolePolicyDocument = object(after.AssumeRolePolicyDocument) ?? {};
  for (const [name] of inlinePolicies(before)) role.inlinePolicies.delete(name);
  for (const [name, document] of inlinePolicies(after)) role.inlinePolicies.set(name, document);
  for (const arn of texts(before.ManagedPolicyArns)) role.managedPolicyArns.delete(arn);
  for (const arn of texts(after.ManagedPolicyArns)) role.managedPolicyArns.add(arn);
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
