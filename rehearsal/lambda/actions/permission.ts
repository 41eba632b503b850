import { ServiceError } from '../../aws/service.ts';
import { invalid } from '../function-input.ts';
import type { LambdaFunction } from '../function-store.ts';
import type { LambdaActions } from '../parts.ts';

/** The function's resource policy: what lets services in. Who else may invoke is for the caller's own policies to say. */
export const permission: LambdaActions<'AddPermission' | 'RemovePermission' | 'GetPolicy'> = ({ store }) => ({
  AddPermission(input) {
    const found = store.get(input.FunctionName, input.Qualifier);
    const { StatementId, Action, Principal } = input;
    for (const name of ['StatementId', 'Action', 'Principal'] as const) {
      if (input[name] === undefined) throw invalid(`${name} is required`);
    }
    if (found.permissions.has(StatementId)) {
      throw new ServiceError(
        'ResourceConflictException',
        `The statement id (${StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
        409,
        { Type: 'User' },
      );
    }
    const statement = {
      Sid: StatementId,
      Effect: 'Allow',
      Principal: String(Principal).includes('.amazonaws.com') ? { Service: Principal } : { AWS: Principal },
      Action,
      Resource: found.configuration.FunctionArn,
      ...condition(input),
    };
    found.permissions.set(StatementId, statement);
    return { Statement: JSON.stringify(statement) };
  },
  RemovePermission({ FunctionName, Qualifier, StatementId }) {
    const found = store.get(FunctionName, Qualifier);
    if (!found.permissions.delete(StatementId))
      throw noPolicy(`Statement ${StatementId} is not found in resource policy.`);
    return {};
  },
  GetPolicy({ FunctionName, Qualifier }) {
    const found: LambdaFunction = store.get(FunctionName, Qualifier);
    if (found.permissions.size === 0) throw noPolicy('The resource you requested does not exist.');
    return { Policy: policyOf(found), RevisionId: found.configuration.RevisionId };
  },
});

export function policyOf({ permissions }: LambdaFunction): string {
  return JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: [...permissions.values()] });
}

function condition(input: { SourceArn?: string; SourceAccount?: string }): Record<string, unknown> {
  const { SourceArn, SourceAccount } = input;
  if (SourceArn === undefined && SourceAccount === undefined) return {};
  return {
    Condition: {
      ...(SourceAccount !== undefined && { StringEquals: { 'AWS:SourceAccount': SourceAccount } }),
      ...(SourceArn !== undefined && { ArnLike: { 'AWS:SourceArn': SourceArn } }),
    },
  };
}

function noPolicy(message: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', message, 404, { Type: 'User' });
}
