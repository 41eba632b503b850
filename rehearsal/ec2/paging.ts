import { ServiceError } from '../aws/service.ts';

/**
 * One page of a list, and the token of the next. Source: EC2 API reference, Query requests, "Pagination": MaxResults 5 to 1000.
 *
 * @throws ServiceError InvalidParameterValue | InvalidPaginationToken
 */
export function paged<Item>(
  items: readonly Item[],
  input: { readonly MaxResults?: number | undefined; readonly NextToken?: string | undefined },
): { readonly page: readonly Item[]; readonly nextToken: string | undefined } {
  const size = input.MaxResults ?? 1000;
  if (!Number.isInteger(size) || size < 5 || size > 1000) {
    throw new ServiceError('InvalidParameterValue', `Value (${size}) for parameter MaxResults is invalid: 5 to 1000`);
  }
  const start =
    input.NextToken === undefined ? 0 : Number(/^start-(\d+)$/.exec(decode(input.NextToken))?.[1] ?? Number.NaN);
  if (Number.isNaN(start))
    throw new ServiceError('InvalidPaginationToken', `The token '${input.NextToken}' is invalid`);
  const end = start + size;
  const nextToken = end < items.length ? Buffer.from(`start-${end}`).toString('base64url') : undefined;
  return { page: items.slice(start, end), nextToken };
}

const decode = (token: string) => Buffer.from(token, 'base64url').toString();
