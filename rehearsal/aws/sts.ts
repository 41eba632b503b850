/** Security Token Service: who am I, and taking on a role. */

import { callerOf } from '../iam/caller.ts';
import { RoleNotAssumable, type Security, UNENFORCED } from '../iam/security.ts';
import { ACCOUNT_ID } from '../world.ts';
import { type CallContext, type Service, ServiceError } from './service.ts';

interface AssumeRoleInput {
  readonly RoleArn: string;
  readonly RoleSessionName: string;
  readonly DurationSeconds?: number;
  readonly [unsupported: string]: unknown;
}

const KNOWN = ['RoleArn', 'RoleSessionName', 'DurationSeconds'];
const DEFAULT_SECONDS = 3600;

export function createStsService(security: Security = UNENFORCED): Service {
  return {
    signingName: 'sts',
    protocol: 'awsQuery',
    actions: {
      GetCallerIdentity: (_input: unknown, { accessKeyId }: CallContext) => ({
        UserId: accessKeyId,
        Account: ACCOUNT_ID,
        Arn: callerOf(accessKeyId).arn,
      }),

      /** Credentials do not expire here, whatever the answer says. */
      AssumeRole: (input: AssumeRoleInput, { accessKeyId }: CallContext) => {
        const unknown = Object.keys(input).find((name) => input[name] !== undefined && !KNOWN.includes(name));
        if (unknown !== undefined)
          throw new ServiceError('ValidationError', `${unknown} is not supported by the rehearsal`);
        const { RoleArn, RoleSessionName, DurationSeconds = DEFAULT_SECONDS } = input;
        try {
          // A role trusts callers of the account by the account's root, as its policies are written here.
          const session = security.assume({
            roleArn: RoleArn,
            principal: `arn:aws:iam::${ACCOUNT_ID}:root`,
            sessionName: RoleSessionName,
          });
          return {
            Credentials: {
              AccessKeyId: session,
              SecretAccessKey: 'rehearsal',
              SessionToken: 'rehearsal',
              Expiration: new Date(Date.now() + DurationSeconds * 1000),
            },
            AssumedRoleUser: { AssumedRoleId: session, Arn: callerOf(session).arn },
          };
        } catch (error) {
          if (!(error instanceof RoleNotAssumable)) throw error;
          throw new ServiceError(
            'AccessDenied',
            `User: ${callerOf(accessKeyId).arn} is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`,
            403,
          );
        }
      },
    },
  };
}
