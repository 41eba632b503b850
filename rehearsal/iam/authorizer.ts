/**
 * Holds every call to the policies of who makes it, and counts what of the policies is used.
 *
 * It stands in front of every action as an interceptor (`rehearsal/aws/faults.ts`), so it sees calls on the wire and those that
 * Automation and CloudFormation make in process alike. What is no such call (S3's requests, the lines of a function's log, a role
 * that a service takes on) asks it by `Security`.
 */
import type { Interceptor } from '../aws/faults.ts';
import { ServiceError, type WireProtocol } from '../aws/service.ts';
import { ACCOUNT_ID } from '../world.ts';
import { callerOf, sessionKey } from './caller.ts';
import type { RequestContext } from './conditions.ts';
import { evaluate, type Permission, trusts } from './evaluate.ts';
import { matches } from './pattern.ts';
import { type Facts, permissionsFor } from './requirements/index.ts';
import { RoleNotAssumable, roleNameOf, type Security } from './security.ts';
import type { IamStore, KeptStatement, PolicyOrigin } from './store.ts';

/** Something that a role was not allowed. */
export interface Refusal {
  readonly roleName: string;
  readonly action: string;
  readonly resource: string;
}

/** One action that a statement names, and how often something was allowed by it. */
export interface StatementUse extends PolicyOrigin {
  readonly sid: string;
  /** As the policy writes it: with wildcards, if it has some. */
  readonly action: string;
  readonly uses: number;
}

export interface Authorizer extends Security, Required<Pick<Interceptor, 'before'>> {
  /** Of every policy that a stack ever had. */
  readonly uses: readonly StatementUse[];
  readonly refusals: readonly Refusal[];
}

export interface AuthorizerOptions {
  readonly iam: IamStore;
  readonly facts: Facts;
}

export function createAuthorizer({ iam, facts }: AuthorizerOptions): Authorizer {
  const counts = new Map<KeptStatement, Map<string, number>>();
  const refusals: Refusal[] = [];

  function count(statement: KeptStatement, action: string): void {
    const ofStatement = counts.get(statement) ?? new Map<string, number>();
    counts.set(statement, ofStatement.set(action, (ofStatement.get(action) ?? 0) + 1));
  }

  function refusal(accessKeyId: string, permission: Permission): string | undefined {
    const { arn, roleName } = callerOf(accessKeyId);
    if (roleName === undefined) return undefined;
    const { action, resource } = permission;
    const verdict = evaluate(iam.statementsOf(roleName), permission);
    if (verdict.is === 'allowed') {
      for (const statement of verdict.by) count(statement, action);
      return undefined;
    }
    refusals.push({ roleName, action, resource });
    // Source: IAM user guide, "Troubleshoot access denied error messages".
    const why =
      verdict.is === 'denied'
        ? 'with an explicit deny in an identity-based policy'
        : `because no identity-based policy allows the ${action} action`;
    return `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} ${why}`;
  }

  return {
    before({ service, protocol, action, input, accessKeyId }) {
      const { roleName } = callerOf(accessKeyId);
      if (roleName === undefined) return undefined;
      const permissions = permissionsFor(service, action, input, facts);
      if (permissions === undefined) {
        const resource = 'something that rehearsal/iam/requirements/ has to say';
        refusals.push({ roleName, action: `${service}:${action}`, resource });
        return accessDenied(
          protocol,
          `The rehearsal does not know which permissions ${service} ${action} needs: ${resource}`,
        );
      }
      for (const permission of permissions) {
        const refused = refusal(accessKeyId, permission);
        if (refused !== undefined) return accessDenied(protocol, refused);
      }
      return undefined;
    },

    refusal,

    assume({ roleArn, principal, sessionName, sourceArn }) {
      const role = iam.roles.get(roleNameOf(roleArn));
      if (role === undefined) throw new RoleNotAssumable(`${roleArn} does not exist`);
      const context: RequestContext = {
        'aws:sourceaccount': ACCOUNT_ID,
        ...(sourceArn !== undefined && { 'aws:sourcearn': sourceArn }),
      };
      const by = trusts(role.trust, principal, context);
      if (by === undefined) throw new RoleNotAssumable(`The trust policy of ${roleArn} does not allow ${principal}`);
      count(by, 'sts:AssumeRole');
      return sessionKey(role.name, sessionName);
    },

    get uses() {
      return together(iam.everKept.flatMap((statement) => usesOf(statement, counts.get(statement) ?? new Map())));
    },
    refusals,
  };
}

function usesOf({ origin, sid, actions }: KeptStatement, counted: ReadonlyMap<string, number>): StatementUse[] {
  return actions.map((pattern) => {
    const matching = [...counted].filter(([action]) => matches(action.toLowerCase(), pattern.toLowerCase()));
    return { ...origin, sid, action: pattern, uses: matching.reduce((sum, [, times]) => sum + times, 0) };
  });
}

/** An update of a stack makes the same statement anew; for who reads it, it is one. */
function together(uses: readonly StatementUse[]): StatementUse[] {
  const byPlace = new Map<string, StatementUse>();
  for (const use of uses) {
    const place = JSON.stringify([use.stackName, use.resource, use.policyName, use.sid, use.action]);
    byPlace.set(place, { ...use, uses: use.uses + (byPlace.get(place)?.uses ?? 0) });
  }
  return [...byPlace.values()];
}

/** Code and HTTP status of a refusal. Source: "Common errors" of the services; EC2 has its own in "Error codes". */
const REFUSED: Readonly<Record<WireProtocol, readonly [string, number]>> = {
  awsQuery: ['AccessDenied', 403],
  ec2Query: ['UnauthorizedOperation', 403],
  restJson1: ['AccessDeniedException', 403],
  awsJson1_1: ['AccessDeniedException', 400],
  awsJson1_0: ['AccessDeniedException', 400],
  rpcV2Cbor: ['AccessDeniedException', 400],
};

export function accessDenied(protocol: WireProtocol, message: string): ServiceError {
  const [code, statusCode] = REFUSED[protocol];
  return new ServiceError(code, message, statusCode);
}
