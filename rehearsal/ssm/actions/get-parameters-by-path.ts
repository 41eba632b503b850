import type { GetParametersByPathRequest, GetParametersByPathResult } from '@aws-sdk/client-ssm';
import { ServiceError } from '../../aws/service.ts';
import { page } from '../paging.ts';
import type { SsmContext } from './context.ts';
import { answerParameter } from './parameter-answer.ts';

export const getParametersByPath =
  ({ parameters }: SsmContext) =>
  (input: GetParametersByPathRequest): GetParametersByPathResult => {
    const [filter] = input.ParameterFilters ?? [];
    if (filter)
      throw new ServiceError('InvalidFilterKey', `The filter key ${filter.Key} is not supported by the rehearsal.`);
    const found = parameters.underPath(input.Path ?? '', input.Recursive ?? false);
    const { items, NextToken } = page(found, input as Parameters<typeof page>[1], { min: 1, max: 10, default: 10 });
    return {
      Parameters: items.map((parameter) => answerParameter(parameter)),
      ...(NextToken === undefined ? {} : { NextToken }),
    };
  };
