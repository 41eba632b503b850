import { type IamStore, iamArn } from '../../iam/store.ts';
import { ResourceFailure } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import { text, texts } from './properties.ts';

export function iamInstanceProfile(iam: IamStore): ResourceType {
  function put(name: string, properties: JsonObject): void {
    const [role, ...more] = texts(properties.Roles);
    if (role === undefined || more.length > 0)
      throw new ResourceFailure('#/Roles: expected minimum and maximum item count: 1');
    if (!iam.roles.has(role)) throw new ResourceFailure(`The role with name ${role} cannot be found.`);
    iam.instanceProfiles.set(name, role);
  }
  return {
    name: 'AWS::IAM::InstanceProfile',
    properties: ['InstanceProfileName', 'Path', 'Roles'],
    required: ['Roles'],
    replacedBy: ['InstanceProfileName', 'Path'],
    attributes: ['Arn'],
    capability: ({ InstanceProfileName }) =>
      InstanceProfileName === undefined ? 'CAPABILITY_IAM' : 'CAPABILITY_NAMED_IAM',
    async create(properties, context) {
      const name = text(properties.InstanceProfileName) ?? context.generateName(128);
      if (iam.instanceProfiles.has(name)) throw new ResourceFailure(`Instance Profile ${name} already exists.`);
      put(name, properties);
      const arn = iamArn('instance-profile', text(properties.Path) ?? '/', name);
      return { physicalResourceId: name, attributes: { Arn: arn } };
    },
    async update(existing, properties) {
      put(existing.physicalResourceId, properties);
      return existing;
    },
    async delete({ physicalResourceId }) {
      iam.instanceProfiles.delete(physicalResourceId);
    },
  };
}
