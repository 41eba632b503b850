import { ServiceError } from '../aws/service.ts';

/** Those named, or all where none is. @throws ServiceError  with the code given, for one that does not exist */
export function named<Item>(
  items: ReadonlyMap<string, Item>,
  ids: readonly string[] | undefined,
  kind: string,
  code: string,
): Item[] {
  if (ids === undefined || ids.length === 0) return [...items.values()];
  return [...new Set(ids)].map((id) => {
    const item = items.get(id);
    if (item === undefined) throw new ServiceError(code, `The ${kind} '${id}' does not exist`);
    return item;
  });
}
