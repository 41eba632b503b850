/** What services ask IAM for: to take on a role, and whether a session may do something that is no call of an action. */

import { sessionKey } from './caller.ts';
import type { Permission } from './evaluate.ts';

export interface AssumeRequest {
  readonly roleArn: string;
  /** `lambda.amazonaws.com`, or the ARN of the account's root. */
  readonly principal: string;
  /** 2 to 64 characters. */
  readonly sessionName: string;
  /** What the service works for: `aws:SourceArn`. */
  readonly sourceArn?: string;
}

export class RoleNotAssumable extends Error {
  override readonly name = 'RoleNotAssumable';
}

export interface Security {
  /**
   * @returns the access key id of the session
   * @throws RoleNotAssumable  there is no such role, or its trust policy does not let this principal
   */
  assume(request: AssumeRequest): string;
  /** @returns undefined where the caller may; else AWS's words for who is refused what */
  refusal(accessKeyId: string, permission: Permission): string | undefined;
}

/** Every role is there, and everybody may do everything: a service on its own, as tests have it. */
export const UNENFORCED: Security = {
  assume: ({ roleArn, sessionName }) => sessionKey(roleNameOf(roleArn), sessionName),
  refusal: () => undefined,
};

export function roleNameOf(roleArn: string): string {
  return roleArn.slice(roleArn.lastIndexOf('/') + 1);
}
