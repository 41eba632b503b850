/** Service Authorization Reference, AWS CloudFormation. A stack's ARN ends in an id, which a name does not have: `*` stands for it. */
import { alike, anywhere, arn } from './arn.ts';
import type { Requirements } from './index.ts';

const stack = ({ StackName }: { readonly StackName?: string }): string =>
  StackName === undefined
    ? '*'
    : StackName.startsWith('arn:')
      ? StackName
      : arn('cloudformation', `stack/${StackName}/*`);

export const cloudformation: Requirements = {
  ...alike(
    'cloudformation',
    [
      'CancelUpdateStack',
      'ContinueUpdateRollback',
      'CreateChangeSet',
      'CreateStack',
      'DeleteChangeSet',
      'DeleteStack',
      'DescribeChangeSet',
      'DescribeStackEvents',
      'DescribeStackResource',
      'DescribeStackResources',
      'DescribeStacks',
      'ExecuteChangeSet',
      'GetTemplate',
      'GetTemplateSummary',
      'ListChangeSets',
      'ListStackResources',
      'UpdateStack',
      'UpdateTerminationProtection',
    ],
    stack,
  ),
  ...alike('cloudformation', ['ListStacks', 'ValidateTemplate'], anywhere),
};
