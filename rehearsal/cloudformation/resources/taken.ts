import { randomBytes } from 'node:crypto';
import { ResourceFailure } from '../errors.ts';

/** CloudFormation's words where the service itself would take a second of the name for an update of the first. */
export function taken(type: string, name: string): ResourceFailure {
  return new ResourceFailure(
    `Resource handler returned message: "Resource of type '${type}' with identifier '${name}' already exists." (RequestToken: ${randomBytes(16).toString('hex')}, HandlerErrorCode: AlreadyExists)`,
  );
}
