import type { GetParametersRequest, GetParametersResult, Parameter } from '@aws-sdk/client-ssm';
import { ServiceError } from '../../aws/service.ts';
import { validationError } from '../errors.ts';
import type { SsmContext } from './context.ts';
import { answerParameter } from './parameter-answer.ts';

export const getParameters =
  ({ parameters }: SsmContext) =>
  ({ Names = [] }: GetParametersRequest): GetParametersResult => {
    if (Names.length < 1 || Names.length > 10) throw validationError('Names must have between 1 and 10 items.');
    const found: Parameter[] = [];
    const InvalidParameters: string[] = [];
    for (const name of Names) {
      try {
        found.push(answerParameter(parameters.get(name)));
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        InvalidParameters.push(name);
      }
    }
    return { Parameters: found, InvalidParameters };
  };
