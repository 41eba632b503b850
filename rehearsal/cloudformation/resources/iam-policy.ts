import type { IamStore } from '../../iam/store.ts';
import { ResourceFailure } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Existing, ResourceContext, ResourceType } from '../resource-type.ts';
import { readPolicy } from './iam-policies.ts';
import { text, texts } from './properties.ts';

/** An inline policy, put on roles from outside. Users and groups are not in the rehearsal. */
export function iamPolicy(iam: IamStore): ResourceType {
  function attach(properties: JsonObject, context: ResourceContext): void {
    const name = text(properties.PolicyName) ?? '';
    const statements = readPolicy(iam, properties.PolicyDocument, 'identity', name, context);
    for (const roleName of texts(properties.Roles)) {
      const role = iam.roles.get(roleName);
      if (role === undefined) throw new ResourceFailure(`The role with name ${roleName} cannot be found.`);
      role.inlinePolicies.set(name, statements);
    }
  }
  function detach({ properties }: Existing): void {
    for (const name of texts(properties.Roles)) {
      iam.roles.get(name)?.inlinePolicies.delete(text(properties.PolicyName) ?? '');
    }
  }
  return {
    name: 'AWS::IAM::Policy',
    properties: ['PolicyName', 'PolicyDocument', 'Roles'],
    required: ['PolicyName', 'PolicyDocument'],
    replacedBy: [],
    attributes: [],
    capability: () => 'CAPABILITY_IAM',
    async create(properties, context) {
      attach(properties, context);
      return { physicalResourceId: context.generateName(64), attributes: {} };
    },
    async update(existing, properties, context) {
      detach(existing);
      attach(properties, context);
      return existing;
    },
    async delete(existing) {
      detach(existing);
    },
  };
}
