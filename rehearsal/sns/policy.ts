/**
 * Who may publish to a topic.
 *
 * Without a policy of its own a topic has the default one, which lets in everybody of the account (`AWS:SourceOwner`): its users,
 * its roles and CloudWatch's alarms, and not EventBridge. A policy that is set takes the default one's place altogether.
 * Source: SNS developer guide, "Overview of managing access in Amazon SNS"; EventBridge user guide, "Amazon SNS permissions";
 * CloudWatch user guide, "Notifying users on alarm changes".
 */
import { letsServiceIn } from '../aws/resource-policy.ts';
import { ServiceError } from '../aws/service.ts';
import { serviceCaller } from '../aws/service-caller.ts';
import type { Topic } from './topic-store.ts';

const HAS_DEFAULT = ['cloudwatch.amazonaws.com'];

/** @throws ServiceError AuthorizationError */
export function mayPublish(topic: Topic, accessKeyId: string): void {
  const caller = serviceCaller(accessKeyId);
  if (caller === undefined) return;
  const { Policy: policy, KmsMasterKeyId: key } = topic.attributes;
  if (key?.endsWith('alias/aws/sns')) {
    // "The AWS managed key's policy cannot be changed": no service but SNS itself is in it.
    throw new ServiceError('KMSAccessDenied', `${caller.principal} may not use the key ${key} of ${topic.arn}`, 400);
  }
  const isLetIn =
    policy === undefined
      ? HAS_DEFAULT.includes(caller.principal)
      : letsServiceIn(policy, { ...caller, action: 'sns:Publish', resource: topic.arn });
  if (!isLetIn) {
    throw new ServiceError(
      'AuthorizationError',
      `User: ${caller.principal} is not authorized to perform: SNS:Publish on resource: ${topic.arn} because no resource-based policy allows the SNS:Publish action`,
      403,
    );
  }
}
