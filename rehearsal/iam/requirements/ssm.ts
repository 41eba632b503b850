/** Service Authorization Reference, AWS Systems Manager. */
import type { Permission } from '../evaluate.ts';
import { alike, anywhere, arn } from './arn.ts';
import type { Requirements } from './index.ts';

const document = (name: string): string =>
  // Documents of AWS have no account in their ARN.
  /^(AWS|Amazon)/.test(name)
    ? arn('ssm', `document/${name}`).replace(/:\d{12}:/, '::')
    : arn('ssm', `document/${name}`);
/** A name's leading slash is the ARN's own. */
export const parameterArn = (name: string): string => arn('ssm', `parameter/${name.replace(/^\//, '')}`);
const execution = (id: string): string => arn('ssm', `automation-execution/${id}`);
const instance = (id: string): string =>
  id.startsWith('mi-') ? arn('ssm', `managed-instance/${id}`) : arn('ec2', `instance/${id}`);

interface Named {
  readonly Name: string;
}
interface ById {
  readonly AutomationExecutionId: string;
}

export const ssm: Requirements = {
  ...alike<Named>('ssm', ['DeleteParameter', 'GetParameter', 'PutParameter'], ({ Name }) => parameterArn(Name)),
  ...alike<Named>(
    'ssm',
    [
      'CreateDocument',
      'DeleteDocument',
      'DescribeDocument',
      'GetDocument',
      'UpdateDocument',
      'UpdateDocumentDefaultVersion',
    ],
    ({ Name }) => document(Name),
  ),
  ...alike<ById>(
    'ssm',
    ['DescribeAutomationStepExecutions', 'GetAutomationExecution', 'StopAutomationExecution'],
    ({ AutomationExecutionId }) => execution(AutomationExecutionId),
  ),
  ...alike<{ AssociationId: string }>('ssm', ['DeleteAssociation', 'DescribeAssociation'], ({ AssociationId }) =>
    arn('ssm', `association/${AssociationId}`),
  ),
  ...alike<{ ResourceType: string; ResourceId: string }>(
    'ssm',
    ['AddTagsToResource', 'ListTagsForResource'],
    ({ ResourceType, ResourceId }) => (ResourceType === 'Document' ? document(ResourceId) : parameterArn(ResourceId)),
  ),
  ...alike(
    'ssm',
    [
      'CancelCommand',
      'DescribeAutomationExecutions',
      'DescribeInstanceInformation',
      'GetCommandInvocation',
      'ListCommandInvocations',
      'ListCommands',
      'ListDocuments',
    ],
    anywhere,
  ),

  GetParameters: ({ Names }) =>
    Names.map((name: string) => ({ action: 'ssm:GetParameters', resource: parameterArn(name) })),
  GetParametersByPath: ({ Path }) => [{ action: 'ssm:GetParametersByPath', resource: parameterArn(Path) }],

  CreateAssociation: ({ Name }) => [{ action: 'ssm:CreateAssociation', resource: document(Name) }],
  UpdateAssociation: ({ AssociationId, Name }) => [
    { action: 'ssm:UpdateAssociation', resource: arn('ssm', `association/${AssociationId}`) },
    ...(Name === undefined ? [] : [{ action: 'ssm:UpdateAssociation', resource: document(Name) }]),
  ],

  /**
   * The document and every instance. By a tag the instances are not known yet: all that there could be, which is assumed (the
   * user guide checks them one by one, "the execution results show AccessDenied").
   */
  SendCommand: ({ DocumentName, InstanceIds = [] }) =>
    [document(DocumentName), ...(InstanceIds.length > 0 ? InstanceIds : ['*']).map(instance)].map((resource) => ({
      action: 'ssm:SendCommand',
      resource,
    })),

  /**
   * The reference asks for document and automation-execution. What AWS's messages named until 2025, automation-definition, is optional
   * there: a policy has to hold for it as well, in case it is still asked somewhere.
   */
  StartAutomationExecution: ({ DocumentName, DocumentVersion }, { assumeRoleOf }): Permission[] => {
    const role = assumeRoleOf(DocumentName, DocumentVersion);
    return [
      ...[
        document(DocumentName),
        execution('*'),
        document(`${DocumentName}:${DocumentVersion ?? '$DEFAULT'}`).replace(':document/', ':automation-definition/'),
      ].map((resource) => ({ action: 'ssm:StartAutomationExecution', resource })),
      ...(role === undefined
        ? []
        : [{ action: 'iam:PassRole', resource: role, context: { 'iam:passedtoservice': 'ssm.amazonaws.com' } }]),
    ];
  },
};
