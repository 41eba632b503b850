import { type IamStore, iamArn } from '../../iam/store.ts';
import { ResourceFailure } from '../errors.ts';
import type { ResourceType } from '../resource-type.ts';
import { readPolicy } from './iam-policies.ts';
import { text, texts } from './properties.ts';

export function iamManagedPolicy(iam: IamStore): ResourceType {
  function setRoles(arn: string, before: readonly string[], after: readonly string[]): void {
    for (const name of before) iam.roles.get(name)?.managedPolicyArns.delete(arn);
    for (const name of after) {
      const role = iam.roles.get(name);
      if (role === undefined) throw new ResourceFailure(`The role with name ${name} cannot be found.`);
      role.managedPolicyArns.add(arn);
    }
  }
  return {
    name: 'AWS::IAM::ManagedPolicy',
    properties: ['ManagedPolicyName', 'PolicyDocument', 'Roles', 'Description', 'Path'],
    required: ['PolicyDocument'],
    replacedBy: ['ManagedPolicyName', 'Description', 'Path'],
    attributes: ['PolicyArn'],
    capability: ({ ManagedPolicyName }) =>
      ManagedPolicyName === undefined ? 'CAPABILITY_IAM' : 'CAPABILITY_NAMED_IAM',
    async create(properties, context) {
      const name = text(properties.ManagedPolicyName) ?? context.generateName(128);
      const arn = iamArn('policy', text(properties.Path) ?? '/', name);
      if (iam.managedPolicies.has(arn)) throw new ResourceFailure(`A policy called ${name} already exists.`);
      const statements = readPolicy(iam, properties.PolicyDocument, 'identity', name, context);
      iam.managedPolicies.set(arn, { arn, name, statements });
      try {
        setRoles(arn, [], texts(properties.Roles));
      } catch (error) {
        iam.managedPolicies.delete(arn);
        throw error;
      }
      return { physicalResourceId: arn, attributes: { PolicyArn: arn } };
    },
    async update(existing, properties, context) {
      const policy = iam.managedPolicies.get(existing.physicalResourceId);
      if (policy === undefined) throw new ResourceFailure(`Policy ${existing.physicalResourceId} does not exist.`);
      policy.statements = readPolicy(iam, properties.PolicyDocument, 'identity', policy.name, context);
      setRoles(policy.arn, texts(existing.properties.Roles), texts(properties.Roles));
      return existing;
    },
    async delete({ physicalResourceId: arn, properties }) {
      setRoles(
        arn,
        texts(properties.Roles).filter((name) => iam.roles.has(name)),
        [],
      );
      const attached = [...iam.roles.values()].filter(({ managedPolicyArns }) => managedPolicyArns.has(arn));
      if (attached.length > 0) throw new ResourceFailure('Cannot delete a policy attached to entities.');
      iam.managedPolicies.delete(arn);
    },
  };
}
