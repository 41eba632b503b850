/**
 * Roles and policies, kept with their documents. Nothing is enforced here; whoever checks calls reads them.
 * The credentials of a function name its role (`rehearsal/lambda/role-credentials.ts`).
 */
import { ACCOUNT_ID } from '../world.ts';
import type { JsonObject } from './json.ts';

export interface Role {
  readonly name: string;
  readonly arn: string;
  readonly id: string;
  /** Who may assume it. */
  readonly assumeRolePolicyDocument: JsonObject;
  /** Inline policies by name: the role's own, and those of AWS::IAM::Policy. */
  readonly inlinePolicies: ReadonlyMap<string, JsonObject>;
  readonly managedPolicyArns: ReadonlySet<string>;
}

/** What others read. */
export interface Roles {
  get(roleName: string): Role | undefined;
  all(): readonly Role[];
  /**
   * Every policy document that holds for the role. The documents of AWS's own managed policies are not in the rehearsal:
   * their ARNs are in `unknownPolicyArns`.
   */
  documentsOf(roleName: string): {
    readonly documents: readonly JsonObject[];
    readonly unknownPolicyArns: readonly string[];
  };
}

export interface MutableRole extends Role {
  assumeRolePolicyDocument: JsonObject;
  readonly inlinePolicies: Map<string, JsonObject>;
  readonly managedPolicyArns: Set<string>;
}

export interface ManagedPolicy {
  readonly arn: string;
  readonly name: string;
  document: JsonObject;
}

export class IamStore implements Roles {
  readonly roles = new Map<string, MutableRole>();
  readonly managedPolicies = new Map<string, ManagedPolicy>();

  get(roleName: string): Role | undefined {
    return this.roles.get(roleName);
  }

  all(): readonly Role[] {
    return [...this.roles.values()];
  }

  documentsOf(roleName: string): { documents: JsonObject[]; unknownPolicyArns: string[] } {
    const role = this.roles.get(roleName);
    const arns = [...(role?.managedPolicyArns ?? [])];
    return {
      documents: [
        ...(role?.inlinePolicies.values() ?? []),
        ...arns.map((arn) => this.managedPolicies.get(arn)?.document).filter((document) => document !== undefined),
      ],
      unknownPolicyArns: arns.filter((arn) => !this.managedPolicies.has(arn)),
    };
  }
}

export function iamArn(kind: 'role' | 'policy', path: string, name: string): string {
  return `arn:aws:iam::${ACCOUNT_ID}:${kind}${path}${name}`;
}
