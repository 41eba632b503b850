/** Roles and policies: what CloudFormation makes of AWS::IAM::*, read and kept for who checks calls. */
import { isObject, type JsonObject } from '../cloudformation/json.ts';
import { ACCOUNT_ID } from '../world.ts';
import { AWS_MANAGED_POLICIES } from './aws-managed-policies.ts';
import { PolicyDocumentError, readPolicyDocument, type Statement } from './policy-document.ts';

/** Where a statement stands, for people: which resource of which stack, which policy of it. */
export interface PolicyOrigin {
  /** undefined: AWS's own. */
  readonly stackName: string | undefined;
  /** Logical id of the resource that has the policy; the ARN of one of AWS's own. */
  readonly resource: string;
  readonly policyName: string;
}

export interface KeptStatement extends Statement {
  readonly origin: PolicyOrigin;
}

export interface Role {
  readonly name: string;
  readonly arn: string;
  readonly id: string;
  /** Who may assume it. */
  trust: readonly KeptStatement[];
  /** By name: the role's own, and those of AWS::IAM::Policy. */
  readonly inlinePolicies: Map<string, readonly KeptStatement[]>;
  readonly managedPolicyArns: Set<string>;
}

export interface ManagedPolicy {
  readonly arn: string;
  readonly name: string;
  statements: readonly KeptStatement[];
}

export class IamStore {
  readonly roles = new Map<string, Role>();
  /** By ARN. */
  readonly managedPolicies = new Map<string, ManagedPolicy>();
  /** By the name of the profile, which instances have: the name of its role. */
  readonly instanceProfiles = new Map<string, string>();
  readonly #everKept: KeptStatement[] = [];

  constructor() {
    for (const [name, document] of Object.entries(AWS_MANAGED_POLICIES)) {
      const arn = `arn:aws:iam::aws:policy/${name}`;
      const origin = { stackName: undefined, resource: arn, policyName: name };
      const statements = readPolicyDocument(document, 'identity').map((each) => ({ ...each, origin }));
      this.managedPolicies.set(arn, { arn, name, statements });
    }
  }

  /** Every statement that ever came from a stack, also where the stack is gone. */
  get everKept(): readonly KeptStatement[] {
    return this.#everKept;
  }

  /** @throws PolicyDocumentError */
  read(document: unknown, kind: 'identity' | 'trust', origin: PolicyOrigin): readonly KeptStatement[] {
    if (!isObject(document)) throw new PolicyDocumentError('Syntax errors in policy: it is no object');
    const statements = readPolicyDocument(document as JsonObject, kind).map((each) => ({ ...each, origin }));
    this.#everKept.push(...statements);
    return statements;
  }

  /** Every statement that holds for the role now. */
  statementsOf(roleName: string): readonly KeptStatement[] {
    const role = this.roles.get(roleName);
    if (role === undefined) return [];
    const managed = [...role.managedPolicyArns].map((arn) => this.managedPolicies.get(arn)?.statements ?? []);
    return [...role.inlinePolicies.values(), ...managed].flat();
  }
}

export function iamArn(kind: 'role' | 'policy' | 'instance-profile', path: string, name: string): string {
  return `arn:aws:iam::${ACCOUNT_ID}:${kind}${path}${name}`;
}
