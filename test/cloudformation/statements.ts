/** The policies of a template: every statement, whichever resource has it and whichever condition it is under. */
import type { Template } from './template.ts';

export interface Statement {
  /** Logical id of the resource. */
  readonly of: string;
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: readonly string[];
  /** Texts, and functions that make texts. Of a trust policy: none. */
  readonly Resource: readonly unknown[];
  readonly Principal?: Readonly<Record<string, unknown>>;
}

export function statementsIn(template: Template): Statement[] {
  return Object.entries(template.Resources)
    .filter(([, { Type }]) => Type.startsWith('AWS::IAM::'))
    .flatMap(([of, { Properties }]) =>
      policyDocuments(Properties).flatMap((document) =>
        branches(document.Statement).map((each) => {
          const { Action, Resource, ...statement } = each as { Action: unknown; Resource: unknown };
          return {
            ...(statement as Omit<Statement, 'of' | 'Action' | 'Resource'>),
            of,
            Action: branches(Action) as string[],
            Resource: branches(Resource),
          };
        }),
      ),
    );
}

interface PolicyDocument {
  readonly Version: unknown;
  readonly Statement: unknown;
}

export function policyDocuments(properties: Record<string, unknown>): PolicyDocument[] {
  const { PolicyDocument, AssumeRolePolicyDocument, Policies } = properties;
  const inline = (branches(Policies) as { PolicyDocument: PolicyDocument }[]).map((each) => each.PolicyDocument);
  return [AssumeRolePolicyDocument, PolicyDocument, ...inline].filter((each) => each !== undefined) as PolicyDocument[];
}

/** All that a value may be: lists flat, both sides of each Fn::If, and AWS::NoValue left out. */
function branches(value: unknown): unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap(branches);
  const { 'Fn::If': choice, Ref } = (value ?? {}) as { 'Fn::If'?: unknown[]; Ref?: string };
  if (choice !== undefined) return choice.slice(1).flatMap(branches);
  return Ref === 'AWS::NoValue' ? [] : [value];
}
