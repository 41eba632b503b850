/** What a check writes: events for people and remediation, and its own memory. Nothing else, and nothing at a load balancer. */
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { Checked } from './check.ts';
import type { Continuation } from './event.ts';
import type { DriftEvent } from './finding.ts';
import { memoryName } from './memory.ts';
import { putEvent } from './put-event.ts';
import { summariseOne } from './words.ts';

export interface TellDeps {
  readonly events: EventBridgeClient;
  readonly ssm: SSMClient;
}

/** An event holds 256 KB, and a person reads less. */
const FINDINGS = 20;

/**
 * Only of what has changed. The event goes first: a check that dies in between tells it again, and never not at all. So who is woken by it
 * may read the memory of before: `at` says so.
 */
export async function tellChanges({ events, ssm }: TellDeps, checked: readonly Checked[]): Promise<void> {
  for (const { result, change } of checked) {
    if (change === undefined) continue;
    const { before, next } = change;
    const { name, status, findings } = result;
    const detail: DriftEvent = {
      loadBalancer: name,
      status,
      before,
      at: next.at,
      findings: findings.slice(0, FINDINGS),
      omitted: Math.max(0, findings.length - FINDINGS),
      summary: summariseOne(result),
    };
    await putEvent(events, 'proxyflip drift', detail);
    await putParameter(ssm, memoryName(name), next);
  }
}

export const LAST_RUN = '/proxyflip/drift/last-run';

/** @param at  when the run began, milliseconds since the epoch */
export const rememberRun = (ssm: SSMClient, at: number): Promise<void> =>
  putParameter(ssm, LAST_RUN, { version: 1, at: new Date(at).toISOString() });

/** A rule of the template brings it back to this function. */
export const goOn = (events: EventBridgeClient, continuation: Continuation): Promise<void> =>
  putEvent(events, 'proxyflip check', { continuation });

async function putParameter(ssm: SSMClient, Name: string, value: object): Promise<void> {
  await ssm.send(new PutParameterCommand({ Name, Value: JSON.stringify(value), Type: 'String', Overwrite: true }));
}
