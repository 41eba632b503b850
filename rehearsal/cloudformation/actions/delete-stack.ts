import { validationError } from '../errors.ts';
import type { CloudFormationActions } from '../parts.ts';

/** A stack that is being created is deleted, too: what is under way in it is cancelled first. */
export const deleteStack: CloudFormationActions<'DeleteStack' | 'UpdateTerminationProtection'> = ({
  store,
  deployment,
}) => ({
  DeleteStack({ StackName, RetainResources = [] }, { accessKeyId }) {
    const stack = store.find(String(StackName));
    // As on AWS, deleting what is not there succeeds.
    if (stack === undefined || stack.status === 'DELETE_COMPLETE' || stack.status === 'DELETE_IN_PROGRESS') return {};
    if (stack.terminationProtection) {
      throw validationError(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`);
    }
    if (/IN_PROGRESS$/.test(stack.status) && !/^(CREATE|REVIEW)_IN_PROGRESS$/.test(stack.status)) {
      throw validationError(`Stack [${stack.name}] cannot be deleted while in status ${stack.status}`);
    }
    if (RetainResources.length > 0 && stack.status !== 'DELETE_FAILED') {
      throw validationError(
        'Invalid operation on stack. Specify which resources to retain only when the stack is in the DELETE_FAILED state.',
      );
    }
    stack.accessKeyId = accessKeyId;
    deployment.delete(stack, RetainResources);
    return {};
  },
  UpdateTerminationProtection({ StackName, EnableTerminationProtection }) {
    const stack = store.get(String(StackName));
    stack.terminationProtection = EnableTerminationProtection === true;
    return { StackId: stack.id };
  },
});
