import { ServiceError } from '../aws/service.ts';

/** What the service answers for an input that its model's constraints do not allow. */
export const validationError = (message: string): ServiceError =>
  new ServiceError('ValidationException', `1 validation error detected: ${message}`);

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
