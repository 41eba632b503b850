/**
 * Who a call is from. The access key id says it, since no signature is verified here: `ASIA:<role>:<session>` is a session of a role,
 * any other is an IAM user who may do everything, as the people are who deploy the product.
 */
import { ACCOUNT_ID } from '../world.ts';

export interface Caller {
  readonly arn: string;
  /** undefined: an administrator, whom no policy of the rehearsal holds. */
  readonly roleName: string | undefined;
}

const SESSION_KEY = /^ASIA:([\w+=,.@-]{1,64}):([\w+=,.@-]{2,64})$/;

export function callerOf(accessKeyId: string): Caller {
  const [, roleName, sessionName] = SESSION_KEY.exec(accessKeyId) ?? [];
  return roleName === undefined
    ? { arn: `arn:aws:iam::${ACCOUNT_ID}:user/${accessKeyId}`, roleName }
    : { arn: `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${roleName}/${sessionName}`, roleName };
}

/** The access key id of a role's session. @param sessionName 2 to 64 of `A-Z a-z 0-9 _ + = , . @ -`; others become `-` */
export function sessionKey(roleName: string, sessionName: string): string {
  return `ASIA:${roleName}:${sessionName.replace(/[^\w+=,.@-]/g, '-').slice(0, 64)}`;
}
