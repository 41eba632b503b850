import type { DeleteParameterRequest } from '@aws-sdk/client-ssm';
import type { SsmContext } from './context.ts';

export const deleteParameter =
  ({ parameters }: SsmContext) =>
  ({ Name = '' }: DeleteParameterRequest): object => {
    parameters.delete(Name);
    return {};
  };
