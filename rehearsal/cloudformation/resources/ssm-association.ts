import { HandlerFailure } from '../resource-operations.ts';
import type { ResourceType } from '../resource-type.ts';

/** Through Systems Manager's own actions: where those do not have associations, the resource fails with their error. */
export const ssmAssociation: ResourceType = {
  name: 'AWS::SSM::Association',
  properties: [
    'Name',
    'AssociationName',
    'DocumentVersion',
    'InstanceId',
    'Parameters',
    'ScheduleExpression',
    'ScheduleOffset',
    'Targets',
    'ApplyOnlyAtCronInterval',
    'MaxConcurrency',
    'MaxErrors',
    'ComplianceSeverity',
    'AutomationTargetParameterName',
  ],
  required: ['Name'],
  replacedBy: ['Name', 'InstanceId'],
  attributes: ['AssociationId'],
  async create(properties, context) {
    const created = (await context.call('ssm', 'CreateAssociation', properties)) as {
      AssociationDescription?: { AssociationId?: string };
    };
    const id = created.AssociationDescription?.AssociationId ?? '';
    return { physicalResourceId: id, attributes: { AssociationId: id } };
  },
  async update(existing, properties, context) {
    const AssociationId = existing.physicalResourceId;
    await context.call('ssm', 'UpdateAssociation', { ...properties, AssociationId });
    return existing;
  },
  async delete({ physicalResourceId }, context) {
    await context.call('ssm', 'DeleteAssociation', { AssociationId: physicalResourceId }).catch((error) => {
      if (!(error instanceof HandlerFailure && error.code === 'AssociationDoesNotExist')) throw error;
    });
  },
};
