import { expect, test } from '@jest/globals';
import { lacking } from '../../../rehearsal/report/permissions.ts';

test('each permission that a role lacked is said once, but for those that are tried on purpose', () => {
  const refusal = { roleName: 'steps', action: 'ssm:PutParameter', resource: 'arn:x' };
  const tried = { ...refusal, roleName: 'operator' };
  expect(lacking([refusal, tried, refusal], ['operator'])).toEqual([
    'steps was refused ssm:PutParameter on arn:x: its policies in cloudformation/ have to allow it, or nobody may call it',
  ]);
  expect(lacking([])).toEqual([]);
});
