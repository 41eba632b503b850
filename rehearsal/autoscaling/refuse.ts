import { ServiceError } from '../aws/service.ts';

export const validationError = (message: string) => new ServiceError('ValidationError', message);

/** @throws ServiceError ValidationError  an input that the rehearsal does not have, by name: never as if it had been obeyed */
export function refuseOthers(input: object, known: readonly string[]): void {
  for (const [name, value] of Object.entries(input)) {
    const isEmpty = value === undefined || value === false || (Array.isArray(value) && value.length === 0);
    if (!isEmpty && !known.includes(name)) throw validationError(`${name} is not supported by the rehearsal`);
  }
}
