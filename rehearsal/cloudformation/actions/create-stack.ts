import { ServiceError } from '../../aws/service.ts';
import type { CloudFormationActions } from '../parts.ts';
import { prepareRequest, readSettings, refuseUnknown, requireCapabilities, requireStackName } from '../request.ts';
import { createStackRecord } from '../stack.ts';

export const createStack: CloudFormationActions<'CreateStack'> = ({ store, deployment, ...options }) => ({
  async CreateStack(input, { accessKeyId }) {
    refuseUnknown(input);
    const name = requireStackName(input.StackName);
    const requireFree = (): void => {
      if (store.find(name) !== undefined) {
        throw new ServiceError('AlreadyExistsException', `Stack [${name}] already exists`);
      }
    };
    requireFree();
    const stack = createStackRecord(name, readSettings(input), accessKeyId);
    stack.terminationProtection = input.EnableTerminationProtection === true;
    const prepared = await prepareRequest(input, stack, options, accessKeyId);
    requireCapabilities(prepared, stack.settings.capabilities, options.findType, { isChangeSet: false });
    // Somebody else may have taken the name while the template was fetched.
    requireFree();
    store.add(stack);
    deployment.create(stack, prepared);
    return { StackId: stack.id };
  },
});
