import type { UpdateAssociationRequest, UpdateAssociationResult } from '@aws-sdk/client-ssm';
import type { CreateAssociationInput } from '../associations.ts';
import type { SsmContext } from './context.ts';
import { refuseUnsupported } from './create-association.ts';

export const updateAssociation =
  ({ associations, documents }: SsmContext) =>
  ({ AssociationId = '', ...input }: UpdateAssociationRequest): UpdateAssociationResult => {
    refuseUnsupported(input);
    documents.version(input.Name ?? '', input.DocumentVersion);
    return { AssociationDescription: associations.update(AssociationId, input as CreateAssociationInput) };
  };
