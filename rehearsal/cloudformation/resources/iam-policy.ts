import { ResourceFailure } from '../errors.ts';
import type { IamStore } from '../iam.ts';
import type { JsonObject } from '../json.ts';
import type { Existing, ResourceType } from '../resource-type.ts';
import { object, text, texts } from './properties.ts';

/** An inline policy, put on roles from outside. Users and groups are not in the rehearsal. */
export function iamPolicy(iam: IamStore): ResourceType {
  function attach(properties: JsonObject): void {
    const document = object(properties.PolicyDocument) ?? {};
    for (const name of texts(properties.Roles)) {
      const role = iam.roles.get(name);
      if (role === undefined) throw new ResourceFailure(`The role with name ${name} cannot be found.`);
      role.inlinePolicies.set(text(properties.PolicyName) ?? '', document);
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
      attach(properties);
      return { physicalResourceId: context.generateName(64), attributes: {} };
    },
    async update(existing, properties) {
      detach(existing);
      attach(properties);
      return existing;
    },
    async delete(existing) {
      detach(existing);
    },
  };
}
