/**
 * A call that an AWS service makes on nobody's behalf: EventBridge's to a target, an alarm's to a topic. What it calls asks its own
 * policy (`resource-policy.ts`). Its access key id is `SERVICE:<principal>:<ARN of what it works for>`.
 */
export interface ServiceCaller {
  /** `events.amazonaws.com` */
  readonly principal: string;
  /** Of the rule or alarm. */
  readonly sourceArn: string;
}

export const serviceKey = ({ principal, sourceArn }: ServiceCaller): string => `SERVICE:${principal}:${sourceArn}`;

/** @returns undefined for a call by a user or a role */
export function serviceCaller(accessKeyId: string): ServiceCaller | undefined {
  const [, principal, sourceArn] = /^SERVICE:([\w.-]+\.amazonaws\.com):(arn:.*)$/.exec(accessKeyId) ?? [];
  return principal === undefined || sourceArn === undefined ? undefined : { principal, sourceArn };
}
