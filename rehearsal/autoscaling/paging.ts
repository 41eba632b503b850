import { ServiceError } from '../aws/service.ts';

/** Source: EC2 Auto Scaling API reference, DescribeAutoScalingGroups: MaxRecords 50 by default, 100 at most. */
export function paged<Item>(
  items: readonly Item[],
  input: { readonly MaxRecords?: number | undefined; readonly NextToken?: string | undefined },
): { readonly page: readonly Item[]; readonly nextToken: string | undefined } {
  const size = input.MaxRecords ?? 50;
  const start = Number(/^start-(\d+)$/.exec(input.NextToken ?? 'start-0')?.[1] ?? Number.NaN);
  if (Number.isNaN(start)) throw new ServiceError('InvalidNextToken', `The token '${input.NextToken}' is invalid`);
  const end = start + size;
  return { page: items.slice(start, end), nextToken: end < items.length ? `start-${end}` : undefined };
}
