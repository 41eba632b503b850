/** STS. "No permissions are required to perform" GetCallerIdentity. */
import type { Requirements } from './index.ts';

export const sts: Requirements = {
  GetCallerIdentity: () => [],
  AssumeRole: ({ RoleArn }) => [{ action: 'sts:AssumeRole', resource: RoleArn }],
};
