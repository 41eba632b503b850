/**
 * Whether the policy of a resource lets an AWS service in: EventBridge into a topic or a function, an alarm into a topic.
 *
 * Without it the call fails where nobody looks, so it is the one part of resource policies that the rehearsal enforces.
 * Source: EventBridge user guide, "Using resource-based policies for Amazon EventBridge"; IAM user guide, "AWS global condition keys".
 */
import { type Condition, hold, type RequestContext, readConditions } from '../iam/conditions.ts';
import { matches } from '../iam/pattern.ts';
import { ACCOUNT_ID } from '../world.ts';
import type { ServiceCaller } from './service-caller.ts';

export interface ServiceCall extends ServiceCaller {
  /** `lambda:InvokeFunction`, `sns:Publish` */
  readonly action: string;
  readonly resource: string;
}

/** @param policy  the document as text; a statement that cannot be read lets nobody in, and denies nobody */
export function letsServiceIn(policy: string, call: ServiceCall): boolean {
  const { Statement: given = [] } = JSON.parse(policy) as { Statement?: unknown };
  const statements = (Array.isArray(given) ? given : [given]).filter((each) => appliesTo(each, call));
  return statements.length > 0 && statements.every(({ Effect }) => Effect === 'Allow');
}

// biome-ignore lint/suspicious/noExplicitAny: a policy is whatever its author wrote
function appliesTo(statement: any, call: ServiceCall): boolean {
  const { principal, action, resource } = call;
  const services = statement.Principal === '*' ? ['*'] : texts(statement.Principal?.Service);
  return (
    services.some((service) => service === '*' || service === principal) &&
    texts(statement.Action).some((pattern) => matches(action.toLowerCase(), pattern.toLowerCase())) &&
    texts(statement.Resource).some((pattern) => matches(resource, pattern)) &&
    hold(conditionsOf(statement.Condition), contextOf(call))
  );
}

/** EventBridge tells a topic nothing: "You can't use Condition blocks in Amazon SNS topic policies for EventBridge" (its user guide). */
const contextOf = ({ principal, action, sourceArn }: ServiceCall): RequestContext =>
  principal === 'events.amazonaws.com' && action === 'sns:Publish'
    ? {}
    : { 'aws:sourcearn': sourceArn, 'aws:sourceaccount': ACCOUNT_ID };

function conditionsOf(condition: Parameters<typeof readConditions>[0]): readonly Condition[] {
  return readConditions(condition, (why) => {
    throw new Error(`The policy of a resource cannot be evaluated: ${why}`);
  });
}

const texts = (value: unknown): string[] =>
  value === undefined ? [] : (Array.isArray(value) ? value : [value]).map(String);
