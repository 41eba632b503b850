import { ServiceError } from '../aws/service.ts';
import { validationError } from './errors.ts';

/** One page of a list. The token is the index of the next item, so that a list that grows meanwhile is not read twice. */
export function page<T>(
  items: readonly T[],
  input: { readonly MaxResults?: number; readonly NextToken?: string },
  limits: { readonly min: number; readonly max: number; readonly default: number },
): { readonly items: T[]; readonly NextToken?: string } {
  const size = input.MaxResults ?? limits.default;
  if (size < limits.min || size > limits.max)
    throw validationError(`MaxResults ${size} is not between ${limits.min} and ${limits.max}`);
  const from = input.NextToken ? Number(input.NextToken) : 0;
  if (!Number.isInteger(from) || from < 0)
    throw new ServiceError('InvalidNextToken', 'The specified token is not valid.');
  const to = from + size;
  return { items: items.slice(from, to), ...(to < items.length ? { NextToken: String(to) } : {}) };
}
