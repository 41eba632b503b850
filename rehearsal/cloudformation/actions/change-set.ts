import { randomUUID } from 'node:crypto';
import { ServiceError } from '../../aws/service.ts';
import { ACCOUNT_ID, REGION } from '../../world.ts';
import { plannedChanges } from '../changes.ts';
import { validationError } from '../errors.ts';
import type { CloudFormationActions } from '../parts.ts';
import { prepareRequest, readSettings, refuseUnknown, requireCapabilities, requireStackName } from '../request.ts';
import { type ChangeSet, createStackRecord, type Stack } from '../stack.ts';
import { describeParameters } from './describe-stacks.ts';
import { requireUpdatable, requireUpdate } from './update-stack.ts';

/** What `aws cloudformation deploy` uses. A change set is ready at once; on AWS it takes some seconds. */
export const changeSet: CloudFormationActions<
  'CreateChangeSet' | 'DescribeChangeSet' | 'ExecuteChangeSet' | 'DeleteChangeSet' | 'ListChangeSets'
> = ({ store, deployment, ...options }) => {
  function find(name: string, stackName: string | undefined): { stack: Stack; found: ChangeSet } {
    for (const stack of stackName === undefined ? store.living() : [store.get(stackName)]) {
      const found = [...stack.changeSets.values()].find((each) => each.name === name || each.id === name);
      if (found !== undefined) return { stack, found };
    }
    throw new ServiceError('ChangeSetNotFound', `ChangeSet [${name}] does not exist`, 404);
  }

  return {
    async CreateChangeSet(input, { accessKeyId }) {
      refuseUnknown(input);
      const type = input.ChangeSetType ?? 'UPDATE';
      if (type !== 'CREATE' && type !== 'UPDATE')
        throw validationError(`ChangeSetType ${type} is not supported by the rehearsal`);
      const settings = readSettings(input);
      const stack = type === 'CREATE' ? stackToCreate(String(input.StackName)) : store.get(String(input.StackName));
      if (type === 'UPDATE') requireUpdatable(stack);
      if (stack.changeSets.has(input.ChangeSetName)) {
        throw new ServiceError(
          'AlreadyExistsException',
          `ChangeSet ${input.ChangeSetName} cannot be created due to a mismatch with existing attribute Template`,
        );
      }
      const prepared = await prepareRequest(input, stack, options, accessKeyId);
      requireCapabilities(prepared, settings.capabilities, options.findType, { isChangeSet: true });
      const created: ChangeSet = {
        id: `arn:aws:cloudformation:${REGION}:${ACCOUNT_ID}:changeSet/${input.ChangeSetName}/${randomUUID()}`,
        name: input.ChangeSetName,
        type,
        createdAt: new Date(),
        description: input.Description,
        settings: input.Tags === undefined && type === 'UPDATE' ? { ...settings, tags: stack.settings.tags } : settings,
        prepared,
        changes: [],
        status: 'CREATE_COMPLETE',
        statusReason: undefined,
        executionStatus: 'AVAILABLE',
      };
      try {
        if (type === 'UPDATE') requireUpdate(stack, prepared, created.settings);
        created.changes = plannedChanges(stack, prepared, options.findType);
      } catch (error) {
        // What UpdateStack would answer at once shows here in the change set.
        created.status = 'FAILED';
        created.executionStatus = 'UNAVAILABLE';
        created.statusReason =
          (error as Error).message === 'No updates are to be performed.'
            ? "The submitted information didn't contain changes. Submit different information to create a change set."
            : (error as Error).message;
      }
      if (store.find(stack.id) === undefined) store.add(stack);
      stack.changeSets.set(created.name, created);
      return { Id: created.id, StackId: stack.id };

      function stackToCreate(name: string): Stack {
        const existing = store.find(requireStackName(name));
        if (existing === undefined) return createStackRecord(name, settings, accessKeyId);
        if (existing.status === 'REVIEW_IN_PROGRESS') return existing;
        throw validationError(
          `Stack [${name}] already exists and cannot be created again with the changeSet [${input.ChangeSetName}].`,
        );
      }
    },

    DescribeChangeSet({ ChangeSetName, StackName }) {
      const { stack, found } = find(ChangeSetName, StackName);
      return {
        ChangeSetId: found.id,
        ChangeSetName: found.name,
        StackId: stack.id,
        StackName: stack.name,
        ...(found.description !== undefined && { Description: found.description }),
        CreationTime: found.createdAt,
        Status: found.status,
        ...(found.statusReason !== undefined && { StatusReason: found.statusReason }),
        ExecutionStatus: found.executionStatus,
        Parameters: describeParameters(found.prepared?.parameters ?? new Map()),
        Capabilities: found.settings.capabilities,
        Tags: Object.entries(found.settings.tags).map(([Key, Value]) => ({ Key, Value })),
        Changes: found.changes,
      };
    },

    ExecuteChangeSet({ ChangeSetName, StackName, DisableRollback }, { accessKeyId }) {
      const { stack, found } = find(ChangeSetName, StackName);
      if (found.executionStatus !== 'AVAILABLE' || found.prepared === undefined) {
        throw new ServiceError(
          'InvalidChangeSetStatus',
          `ChangeSet [${found.id}] cannot be executed in its current status of [${found.status}]`,
        );
      }
      const settings =
        DisableRollback === true ? { ...found.settings, onFailure: 'DO_NOTHING' as const } : found.settings;
      found.executionStatus = 'EXECUTE_COMPLETE';
      stack.accessKeyId = accessKeyId;
      // The others were made against what is about to change.
      stack.changeSets.clear();
      if (found.type === 'CREATE') {
        stack.settings = settings;
        deployment.create(stack, found.prepared);
      } else {
        requireUpdatable(stack);
        deployment.update(stack, found.prepared, settings);
      }
      return {};
    },

    DeleteChangeSet({ ChangeSetName, StackName }) {
      const { stack, found } = find(ChangeSetName, StackName);
      stack.changeSets.delete(found.name);
      return {};
    },

    ListChangeSets({ StackName }) {
      const stack = store.get(StackName);
      return {
        Summaries: [...stack.changeSets.values()].map((each) => ({
          StackId: stack.id,
          StackName: stack.name,
          ChangeSetId: each.id,
          ChangeSetName: each.name,
          Status: each.status,
          ExecutionStatus: each.executionStatus,
          CreationTime: each.createdAt,
        })),
      };
    },
  };
};
