import type { GetParameterRequest, GetParameterResult } from '@aws-sdk/client-ssm';
import type { SsmContext } from './context.ts';
import { answerParameter } from './parameter-answer.ts';

export const getParameter =
  ({ parameters }: SsmContext) =>
  ({ Name = '' }: GetParameterRequest): GetParameterResult => ({
    Parameter: answerParameter(parameters.get(Name), Name.match(/:\d+$/)?.[0]),
  });
