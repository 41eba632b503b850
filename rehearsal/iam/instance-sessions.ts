/** Sessions of instances: the role of the profile that each has, as EC2 assumes it for the metadata service and for the agent. */
import type { World } from '../world.ts';
import { RoleNotAssumable, type Security } from './security.ts';
import type { IamStore } from './store.ts';

export interface InstanceSession {
  readonly roleName: string;
  readonly accessKeyId: string;
}

/** @returns undefined: the instance has no profile, or one with a role that EC2 may not assume */
export type InstanceSessions = (instanceId: string) => InstanceSession | undefined;

export function createInstanceSessions({
  world,
  iam,
  security,
}: {
  readonly world: World;
  readonly iam: IamStore;
  readonly security: Security;
}): InstanceSessions {
  return (instanceId) => {
    const instance = world.instances.get(instanceId);
    const profile = instance?.instanceProfile ?? instance?.launch?.iamInstanceProfileArn?.split('/').at(-1) ?? '';
    const role = iam.roles.get(iam.instanceProfiles.get(profile) ?? '');
    if (role === undefined) return undefined;
    try {
      const request = { roleArn: role.arn, principal: 'ec2.amazonaws.com', sessionName: instanceId };
      return { roleName: role.name, accessKeyId: security.assume(request) };
    } catch (error) {
      if (!(error instanceof RoleNotAssumable)) throw error;
      return undefined;
    }
  };
}
