import { validationError } from './checks.ts';

/** Source: API reference: PageSize 1 to 400; NextMarker is absent on the last page. The marker is a place in the list. */
export function paged<T>(
  items: readonly T[],
  { Marker, PageSize = 400 }: { Marker?: string | undefined; PageSize?: number | undefined },
): { readonly page: readonly T[]; readonly nextMarker: string | undefined } {
  if (PageSize < 1 || PageSize > 400) throw validationError(`Page size '${PageSize}' must be between 1 and 400`);
  if (Marker !== undefined && !/^\d+$/.test(Marker)) throw validationError(`Marker '${Marker}' is not valid`);
  const start = Number(Marker ?? 0);
  const end = start + PageSize;
  return { page: items.slice(start, end), nextMarker: end < items.length ? String(end) : undefined };
}
