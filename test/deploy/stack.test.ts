import { StackStatus } from '@aws-sdk/client-cloudformation';
import { describe, expect, test } from '@jest/globals';
import { changeSetType } from '../../deploy/stack.ts';

describe('a stack is', () => {
  test.each([undefined, 'REVIEW_IN_PROGRESS'])('created where it is %s', (status) =>
    expect(changeSetType('s', status)).toBe('CREATE'),
  );

  test.each(['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE', 'IMPORT_COMPLETE'])(
    'updated where it is in %s',
    (status) => expect(changeSetType('s', status)).toBe('UPDATE'),
  );

  test.each([
    ['CREATE_FAILED', 'delete-stack'],
    ['ROLLBACK_COMPLETE', 'delete-stack'],
    ['ROLLBACK_FAILED', 'delete-stack'],
    ['DELETE_FAILED', 'delete-stack'],
    ['UPDATE_FAILED', 'rollback-stack'],
    ['UPDATE_ROLLBACK_FAILED', 'continue-update-rollback'],
  ])('not touched in %s, and the way out is said: %s', (status, command) => {
    expect(() => changeSetType('s', status)).toThrow(
      new RegExp(`^ERR_STACK: .* ${status} .*aws cloudformation ${command} --stack-name s$`),
    );
  });

  const busy = Object.values(StackStatus).filter((each) => /IN_PROGRESS$/.test(each) && each !== 'REVIEW_IN_PROGRESS');
  test.each(busy)('left alone while it is in %s', (status) => {
    expect(busy.length).toBeGreaterThan(5);
    expect(() => changeSetType('s', status)).toThrow(/^ERR_STACK: .* Wait until that has ended/);
  });
});
