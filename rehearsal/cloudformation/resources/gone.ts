import { HandlerFailure } from '../resource-operations.ts';

/** For the end of a delete: what is gone already is deleted. @param code  the service's own for a thing that is not there */
export const unlessGone =
  (code: string) =>
  (error: unknown): void => {
    if (!(error instanceof HandlerFailure && error.code === code)) throw error;
  };
