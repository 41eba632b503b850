/** What the actions work with. */
import type { Machine, World } from '../world.ts';
import type { LaunchTemplateStore } from './launch-templates.ts';
import type { VpcStore } from './vpc-store.ts';

export interface LaunchRequest {
  readonly instanceId: string;
  readonly privateIpAddress: string;
  readonly imageId: string;
  /** As it was given, decoded; '' = none. */
  readonly userData: string;
}

/** Boots and ends machines: the part of EC2 that is not an API. */
export interface Machines {
  /** Resolves when the machine has booted, and its user data has run. */
  launch(request: LaunchRequest): Promise<Machine>;
  /** Resolves when it is off. */
  terminate(machine: Machine): Promise<void>;
}

export interface Ec2Parts {
  readonly world: World;
  readonly vpcs: VpcStore;
  readonly launchTemplates: LaunchTemplateStore;
  readonly machines: Machines;
}
