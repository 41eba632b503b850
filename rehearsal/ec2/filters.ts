/** EC2's filters: all of them must match, any value of one is enough; `*` and `?` are wildcards. Source: EC2 user guide, "List and filter". */
import type { Filter } from '@aws-sdk/client-ec2';
import { ServiceError } from '../aws/service.ts';

/** What a filter's name stands for, on one kind of item; `tag:<key>` is looked up under that whole name. */
export type FilterValues<Item> = Readonly<Record<string, (item: Item) => readonly string[]>>;

/** @throws ServiceError InvalidParameterValue  a filter that the rehearsal does not have: never everything instead */
export function filtered<Item>(
  items: Iterable<Item>,
  filters: readonly Filter[] | undefined,
  values: FilterValues<Item>,
  tagsOf: (item: Item) => Readonly<Record<string, string>> = () => ({}),
): Item[] {
  const tests = (filters ?? []).map(({ Name = '', Values = [] }) => {
    const tag = /^tag:(.+)$/.exec(Name)?.[1];
    const read = Object.hasOwn(values, Name) ? values[Name] : undefined;
    if (tag === undefined && read === undefined) {
      throw new ServiceError('InvalidParameterValue', `The filter '${Name}' is invalid`);
    }
    const patterns = Values.map(toPattern);
    return (item: Item) => {
      const actual =
        tag === undefined ? (read?.(item) ?? []) : Object.hasOwn(tagsOf(item), tag) ? [tagsOf(item)[tag] ?? ''] : [];
      return actual.some((value) => patterns.some((pattern) => pattern.test(value)));
    };
  });
  return [...items].filter((item) => tests.every((matches) => matches(item)));
}

/** A backslash takes a wildcard's meaning away. Case counts. */
function toPattern(value: string): RegExp {
  const source = value.replace(/\\([*?\\])|[\s\S]/g, (character, escaped: string | undefined) => {
    if (escaped !== undefined) return `\\${escaped}`;
    if (character === '*') return '[^]*';
    if (character === '?') return '[^]';
    return character.replace(/[.+^${}()|[\]\\/-]/, '\\$&');
  });
  return new RegExp(`^${source}$`);
}
