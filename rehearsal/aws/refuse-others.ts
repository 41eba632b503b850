import { ServiceError } from './service.ts';

/** Clients fill it in by themselves. Taken and not held to: no call here answers so late that it is made again. */
const IDEMPOTENCY_TOKEN = 'ClientToken';

/**
 * What an action does with inputs that the rehearsal does not have: it refuses them by name, and never answers as if it had obeyed.
 *
 * @param code  the service's own word for an input that it cannot take
 */
export function refuserOf(code: string): (input: object, known: readonly string[]) => void {
  return (input, known) => {
    for (const [name, value] of Object.entries(input)) {
      const isEmpty = value === undefined || value === false || (Array.isArray(value) && value.length === 0);
      if (!isEmpty && name !== IDEMPOTENCY_TOKEN && !known.includes(name)) {
        throw new ServiceError(code, `The parameter ${name} is not supported by the rehearsal`);
      }
    }
  };
}
