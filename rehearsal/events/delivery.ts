/**
 * Events on their way to targets: through the targets' own actions, as EventBridge and for a rule, and again where that may help.
 *
 * Source: EventBridge user guide, "How EventBridge retries delivering events": 24 hours and 185 attempts with growing waits; "for
 * errors such as missing permissions … EventBridge does not retry".
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from '@aws-sdk/client-eventbridge';
import { type Dispatcher, ServiceError } from '../aws/service.ts';
import { serviceKey } from '../aws/service-caller.ts';
import { type BusEvent, targetInput } from './input.ts';
import type { Rule } from './rule-store.ts';

export interface Delivery {
  readonly ruleName: string;
  readonly targetArn: string;
  readonly eventId: string;
  readonly at: number;
  attempts: number;
  /** undefined = on its way. */
  outcome: 'delivered' | 'failed' | undefined;
  /** Of the last attempt that failed. */
  error: string | undefined;
}

export interface DeliveryOptions {
  readonly dispatcher: () => Dispatcher;
  readonly now: () => number;
  /** Before the second attempt; each further wait is twice as long. Unit: milliseconds. */
  readonly firstRetryMs: number;
  readonly closing: AbortSignal;
}

const PRINCIPAL = 'events.amazonaws.com';
const LONGEST_RETRY_MS = 60_000;
/** An answer that would be the same again. */
const IS_FINAL = /AccessDenied|NotFound|Authorization|Validation|InvalidParameter|InvalidRequestContent/;

export async function deliver(
  rule: Rule,
  target: Target,
  event: BusEvent,
  delivery: Delivery,
  { dispatcher, now, firstRetryMs, closing }: DeliveryOptions,
): Promise<void> {
  const input = targetInput(target, event);
  const caller = serviceKey({ principal: PRINCIPAL, sourceArn: rule.arn });
  const { MaximumRetryAttempts: retries = 185, MaximumEventAgeInSeconds: age = 86_400 } = target.RetryPolicy ?? {};
  for (;;) {
    delivery.attempts += 1;
    try {
      await send(target.Arn ?? '', input, caller, dispatcher());
      delivery.outcome = 'delivered';
      return;
    } catch (error) {
      delivery.error = error instanceof ServiceError ? `${error.code}: ${error.message}` : String(error);
      const isOver = delivery.attempts > retries || now() - delivery.at > age * 1000;
      if (isOver || (error instanceof ServiceError && IS_FINAL.test(error.code))) {
        delivery.outcome = 'failed';
        return;
      }
    }
    const wait = Math.min(firstRetryMs * 2 ** (delivery.attempts - 1), LONGEST_RETRY_MS);
    await sleep(wait, undefined, { signal: closing });
  }
}

async function send(targetArn: string, input: string, caller: string, dispatcher: Dispatcher): Promise<void> {
  if (targetArn.startsWith('arn:aws:sns:')) {
    await dispatcher.call('sns', 'Publish', { TopicArn: targetArn, Message: input }, caller);
    return;
  }
  const Payload = new Uint8Array(Buffer.from(input));
  await dispatcher.call('lambda', 'Invoke', { FunctionName: targetArn, InvocationType: 'Event', Payload }, caller);
}
