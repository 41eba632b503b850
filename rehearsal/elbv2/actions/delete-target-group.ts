import type { DeleteTargetGroupInput, DeleteTargetGroupOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceError } from '../../aws/service.ts';
import type { LoadBalancers } from '../model.ts';

/** One that does not exist is no error: the API has none for it. */
export const deleteTargetGroup =
  (all: LoadBalancers) =>
  (input: DeleteTargetGroupInput): DeleteTargetGroupOutput => {
    const arn = input.TargetGroupArn ?? '';
    if (all.userOf(arn) !== undefined) {
      throw new ServiceError('ResourceInUse', `Target group '${arn}' is currently in use by a listener or a rule`);
    }
    all.targetGroups.delete(arn);
    return {};
  };
