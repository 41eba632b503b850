import type { TerminateInstancesRequest, TerminateInstancesResult } from '@aws-sdk/client-ec2';
import { ServiceError } from '../../aws/service.ts';
import { existing, refuseOthers } from '../items.ts';
import type { Ec2Parts } from '../parts.ts';

/**
 * Answers when the machines are off, where EC2 answers before and goes on listing what is terminated for a while. What a scenario has booted
 * itself is not EC2's to end.
 */
export const terminateInstances =
  ({ world, machines }: Ec2Parts) =>
  async (input: TerminateInstancesRequest): Promise<TerminateInstancesResult> => {
    refuseOthers(input, ['InstanceIds']);
    const instances = (input.InstanceIds ?? []).map((id) =>
      existing(world.instances, id, 'InvalidInstanceID.NotFound', 'instance ID'),
    );
    for (const { instanceId, launch } of instances) {
      if (launch === undefined) {
        throw new ServiceError(
          'OperationNotPermitted',
          `The instance '${instanceId}' was not launched by EC2 and may not be terminated.`,
        );
      }
    }
    await Promise.all(
      instances.map(async ({ instanceId, machine }) => {
        world.instances.delete(instanceId);
        await machines.terminate(machine);
      }),
    );
    await world.networkChanged();
    return {
      TerminatingInstances: instances.map(({ instanceId }) => ({
        InstanceId: instanceId,
        PreviousState: { Code: 16, Name: 'running' },
        CurrentState: { Code: 48, Name: 'terminated' },
      })),
    };
  };
