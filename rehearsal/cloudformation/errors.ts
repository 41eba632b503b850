/** CloudFormation's own errors, and how a resource says that it failed. Source: API reference 2010-05-15, "Common errors". */
import { ServiceError } from '../aws/service.ts';

export function validationError(message: string): ServiceError {
  return new ServiceError('ValidationError', message);
}

export function templateError(message: string): ServiceError {
  return validationError(`Template format error: ${message}`);
}

export function stackNotFound(name: string): ServiceError {
  return validationError(`Stack with id ${name} does not exist`);
}

/** A resource's operation failed; the reason stands in the stack's events. */
export class ResourceFailure extends Error {
  override readonly name = 'ResourceFailure';
  /** What is to be deleted although the operation failed. */
  readonly physicalResourceId: string | undefined;

  constructor(reason: string, physicalResourceId?: string) {
    super(reason);
    this.physicalResourceId = physicalResourceId;
  }
}
