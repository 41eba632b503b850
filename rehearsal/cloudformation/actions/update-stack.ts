import { isUnchanged } from '../changes.ts';
import { validationError } from '../errors.ts';
import { isSame } from '../json.ts';
import type { CloudFormationActions } from '../parts.ts';
import type { PreparedTemplate } from '../prepare.ts';
import { prepareRequest, readSettings, refuseUnknown, requireCapabilities } from '../request.ts';
import type { Stack, StackSettings } from '../stack.ts';

const UPDATABLE = /^((CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT)_COMPLETE|CREATE_FAILED|UPDATE_FAILED)$/;

export const updateStack: CloudFormationActions<'UpdateStack' | 'CancelUpdateStack' | 'ContinueUpdateRollback'> = ({
  store,
  deployment,
  ...options
}) => ({
  async UpdateStack(input, { accessKeyId }) {
    refuseUnknown(input);
    const stack = store.get(String(input.StackName));
    requireUpdatable(stack);
    const settings = {
      ...readSettings(input),
      tags: input.Tags === undefined ? stack.settings.tags : readSettings(input).tags,
    };
    const prepared = await prepareRequest(input, stack, options, accessKeyId);
    requireCapabilities(prepared, settings.capabilities, options.findType, { isChangeSet: false });
    requireUpdate(stack, prepared, settings);
    requireUpdatable(stack);
    stack.accessKeyId = accessKeyId;
    deployment.update(stack, prepared, settings);
    return { StackId: stack.id };
  },
  CancelUpdateStack({ StackName }) {
    const stack = store.get(String(StackName));
    if (stack.status !== 'UPDATE_IN_PROGRESS') {
      throw validationError(`CancelUpdateStack cannot be called from current stack status: ${stack.status}`);
    }
    stack.operation?.cancel.abort();
    return {};
  },
  async ContinueUpdateRollback({ StackName, ResourcesToSkip = [] }, { accessKeyId }) {
    const stack = store.get(String(StackName));
    if (stack.status !== 'UPDATE_ROLLBACK_FAILED' || stack.continueRollback === undefined) {
      throw validationError(`Stack:${stack.id} is in ${stack.status} state and can not continue rollback.`);
    }
    stack.accessKeyId = accessKeyId;
    await stack.continueRollback(ResourcesToSkip);
    return {};
  },
});

/** @throws ServiceError ValidationError  the stack does something else, or can only be deleted */
export function requireUpdatable(stack: Stack): void {
  if (UPDATABLE.test(stack.status)) return;
  throw validationError(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
}

/** @throws ServiceError ValidationError  nothing changes, or a resource would become one of another type */
export function requireUpdate(stack: Stack, prepared: PreparedTemplate, settings: StackSettings): void {
  const retyped = [...prepared.resources]
    .filter(([id, { type }]) => (stack.resources.get(id)?.type ?? type) !== type)
    .map(([id]) => id);
  if (retyped.length > 0) {
    throw validationError(
      `Update of resource type is not permitted. The new template modifies resource type of the following resources: [${retyped.join(', ')}]`,
    );
  }
  // After a failure the same template is worth another try.
  if (stack.prepared === undefined || /FAILED$/.test(stack.status)) return;
  if (isUnchanged(stack.prepared, prepared) && isSame(stack.settings.tags, settings.tags)) {
    throw validationError('No updates are to be performed.');
  }
}
