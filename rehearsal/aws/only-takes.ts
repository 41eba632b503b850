import { ServiceError } from './service.ts';

/**
 * Refuse an input that the API has and the rehearsal's action does not read.
 *
 * @param code  what the service answers to an input that it cannot use
 * @throws ServiceError  naming the action and the member
 */
export function onlyTakes(action: string, input: object, taken: readonly string[], code: string): void {
  const [unknown] = Object.entries(input).flatMap(([name, value]) =>
    value === undefined || taken.includes(name) ? [] : [name],
  );
  if (unknown !== undefined) throw new ServiceError(code, `The rehearsal's ${action} does not read ${unknown}`);
}
