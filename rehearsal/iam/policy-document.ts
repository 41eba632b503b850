/**
 * Policy documents, read once and held to what is evaluated here: whatever the rehearsal would have to guess about is refused
 * when the policy is made, by name.
 *
 * Source: IAM user guide, "IAM JSON policy elements reference".
 */
import { isObject, type Json, type JsonObject } from '../cloudformation/json.ts';
import { type Condition, readConditions } from './conditions.ts';

export interface Statement {
  /** The Sid, or `#1` for the first statement if it has none. */
  readonly sid: string;
  readonly effect: 'Allow' | 'Deny';
  /** `ssm:GetParameter`, `ssm:Get*`; compared without regard to case. */
  readonly actions: readonly string[];
  /** ARN patterns. A trust policy has none. */
  readonly resources: readonly string[];
  /** Of a trust policy: `lambda.amazonaws.com`, `arn:aws:iam::111122223333:root`. */
  readonly principals: readonly string[];
  readonly conditions: readonly Condition[];
}

/** IAM's own refusal (MalformedPolicyDocument), or the rehearsal's of what it does not evaluate. */
export class PolicyDocumentError extends Error {
  override readonly name = 'PolicyDocumentError';
}

const ELEMENTS = ['Sid', 'Effect', 'Action', 'Resource', 'Principal', 'Condition'];
const ACTION = /^(\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$/;

/** @throws PolicyDocumentError */
export function readPolicyDocument(document: JsonObject, kind: 'identity' | 'trust'): Statement[] {
  const unknown = Object.keys(document).filter((key) => !['Version', 'Id', 'Statement'].includes(key));
  if (unknown.length > 0) throw new PolicyDocumentError(`Syntax error: unknown element ${unknown.join(', ')}`);
  // Without it policy variables are plain text: nothing here is written for that version.
  if (document.Version !== '2012-10-17') {
    throw new PolicyDocumentError(`Version must be 2012-10-17, not ${JSON.stringify(document.Version ?? null)}`);
  }
  const { Statement: statements = [] } = document;
  return (Array.isArray(statements) ? statements : [statements]).map((each, index) => readStatement(each, index, kind));
}

function readStatement(statement: Json, index: number, kind: 'identity' | 'trust'): Statement {
  if (!isObject(statement)) throw new PolicyDocumentError('Syntax error: a statement is no object');
  const sid = typeof statement.Sid === 'string' ? statement.Sid : `#${index + 1}`;
  const refuse = (why: string): never => {
    throw new PolicyDocumentError(`Statement ${sid}: ${why}`);
  };
  for (const element of Object.keys(statement)) {
    if (!ELEMENTS.includes(element)) refuse(`${element} is not evaluated by the rehearsal`);
  }
  const { Effect: effect } = statement;
  if (effect !== 'Allow' && effect !== 'Deny') return refuse(`Effect must be Allow or Deny, not ${effect}`);
  if (statement.Sid !== undefined && !/^[A-Za-z0-9]+$/.test(sid)) refuse('Sid may have letters and digits alone');
  const actions = texts(statement.Action);
  if (actions.length === 0) refuse('Missing required field Action');
  const wrong = actions.find((action) => !ACTION.test(action));
  if (wrong !== undefined) refuse(`Actions/Condition can contain only one colon and must have a vendor: ${wrong}`);
  const resources = texts(statement.Resource);
  const principals = isObject(statement.Principal) ? Object.values(statement.Principal).flatMap(texts) : [];
  if (kind === 'identity' && resources.length === 0) refuse('Missing required field Resource');
  if (kind === 'identity' && statement.Principal !== undefined)
    refuse('Policy document should not specify a principal.');
  if (kind === 'trust' && statement.Resource !== undefined) refuse('Has prohibited field Resource');
  if (kind === 'trust' && principals.length === 0) refuse('Missing required field Principal');
  const wild = [...actions, ...resources].find((each) => each.includes('${'));
  if (wild !== undefined) refuse(`policy variables are not evaluated by the rehearsal: ${wild}`);
  return { sid, effect, actions, resources, principals, conditions: readConditions(statement.Condition, refuse) };
}

function texts(value: Json | undefined): string[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}
