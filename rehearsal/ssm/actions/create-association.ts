import type { CreateAssociationRequest, CreateAssociationResult } from '@aws-sdk/client-ssm';
import type { CreateAssociationInput } from '../associations.ts';
import { validationError } from '../errors.ts';
import type { SsmContext } from './context.ts';

const SUPPORTED = [
  'Name',
  'DocumentVersion',
  'InstanceId',
  'Targets',
  'Parameters',
  'AssociationName',
  'ScheduleExpression',
];

export const createAssociation =
  ({ associations, documents }: SsmContext) =>
  (input: CreateAssociationRequest): CreateAssociationResult => {
    refuseUnsupported(input);
    documents.version(input.Name ?? '', input.DocumentVersion);
    return { AssociationDescription: associations.create(input as CreateAssociationInput) };
  };

export function refuseUnsupported(input: object): void {
  const unsupported = Object.entries(input).filter(([name, value]) => value !== undefined && !SUPPORTED.includes(name));
  if (unsupported.length > 0)
    throw validationError(`${unsupported.map(([name]) => name).join(', ')} is not supported by the rehearsal.`);
}
