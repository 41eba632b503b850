import type { DeleteAssociationRequest } from '@aws-sdk/client-ssm';
import type { SsmContext } from './context.ts';

export const deleteAssociation =
  ({ associations }: SsmContext) =>
  ({ AssociationId = '' }: DeleteAssociationRequest): object => {
    associations.delete(AssociationId);
    return {};
  };
