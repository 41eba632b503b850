/**
 * Whether statements allow something.
 *
 * Source: IAM user guide, "Policy evaluation logic": an explicit Deny wins, else one Allow is enough, else it is denied. Permissions
 * boundaries, session policies and policies of organizations are not in the rehearsal.
 */
import { hold, type RequestContext } from './conditions.ts';
import { matches } from './pattern.ts';
import type { Statement } from './policy-document.ts';

export interface Permission {
  /** As a policy names it: `lambda:InvokeFunction`, not the API's `Invoke`. */
  readonly action: string;
  /** An ARN, or `*` where the action knows no resource. */
  readonly resource: string;
  readonly context?: RequestContext;
}

export type Verdict<S extends Statement> =
  | { readonly is: 'allowed'; readonly by: readonly S[] }
  | { readonly is: 'denied' }
  | { readonly is: 'not allowed' };

export function evaluate<S extends Statement>(statements: readonly S[], permission: Permission): Verdict<S> {
  const applies = statements.filter((statement) => appliesTo(statement, permission));
  if (applies.some(({ effect }) => effect === 'Deny')) return { is: 'denied' };
  return applies.length === 0 ? { is: 'not allowed' } : { is: 'allowed', by: applies };
}

/** @returns the statement of a trust policy by which this principal may assume the role */
export function trusts<S extends Statement>(
  statements: readonly S[],
  principal: string,
  context: RequestContext,
): S | undefined {
  const applies = statements.filter(
    ({ principals, actions, conditions }) =>
      principals.includes(principal) && names(actions, 'sts:AssumeRole') && hold(conditions, context),
  );
  return applies.every(({ effect }) => effect === 'Allow') ? applies[0] : undefined;
}

function appliesTo({ actions, resources, conditions }: Statement, permission: Permission): boolean {
  const { action, resource, context = {} } = permission;
  return (
    names(actions, action) &&
    // An action without resources is met by `*` alone.
    resources.some((pattern) => (resource === '*' ? pattern === '*' : matches(resource, pattern))) &&
    hold(conditions, context)
  );
}

function names(patterns: readonly string[], action: string): boolean {
  return patterns.some((pattern) => matches(action.toLowerCase(), pattern.toLowerCase()));
}
