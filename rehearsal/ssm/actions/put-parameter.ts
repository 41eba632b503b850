import type { PutParameterRequest, PutParameterResult } from '@aws-sdk/client-ssm';
import { validationError } from '../errors.ts';
import type { PutParameterInput } from '../parameters.ts';
import type { SsmContext } from './context.ts';

export const putParameter =
  ({ parameters }: SsmContext) =>
  (input: PutParameterRequest): PutParameterResult => {
    if (input.Policies) throw validationError('Parameter policies are not supported by the rehearsal.');
    const { version, tier } = parameters.put(input as PutParameterInput);
    return { Version: version, Tier: tier };
  };
