import type { DescribeAssociationRequest, DescribeAssociationResult } from '@aws-sdk/client-ssm';
import type { SsmContext } from './context.ts';

export const describeAssociation =
  ({ associations }: SsmContext) =>
  ({ AssociationId = '' }: DescribeAssociationRequest): DescribeAssociationResult => ({
    AssociationDescription: associations.describe(AssociationId),
  });
