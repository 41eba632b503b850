import { ResourceFailure } from '../errors.ts';
import { type IamStore, iamArn } from '../iam.ts';
import type { ResourceType } from '../resource-type.ts';
import { object, text, texts } from './properties.ts';

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
      iam.managedPolicies.set(arn, { arn, name, document: object(properties.PolicyDocument) ?? {} });
      setRoles(arn, [], texts(properties.Roles));
      return { physicalResourceId: arn, attributes: { PolicyArn: arn } };
    },
    async update(existing, properties) {
      const policy = iam.managedPolicies.get(existing.physicalResourceId);
      if (policy === undefined) throw new ResourceFailure(`Policy ${existing.physicalResourceId} does not exist.`);
      policy.document = object(properties.PolicyDocument) ?? {};
      setRoles(policy.arn, texts(existing.properties.Roles), texts(properties.Roles));
      return existing;
    },
    async delete({ physicalResourceId: arn, properties }) {
      setRoles(arn, texts(properties.Roles), []);
      const attached = iam.all().filter(({ managedPolicyArns }) => managedPolicyArns.has(arn));
      if (attached.length > 0) throw new ResourceFailure('Cannot delete a policy attached to entities.');
      iam.managedPolicies.delete(arn);
    },
  };
}
