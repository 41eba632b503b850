/**
 * What a target gets: the event, a part of it, a text of the rule's, or one made out of both.
 *
 * Source: EventBridge user guide, "Transforming Amazon EventBridge target input".
 */
import type { Target } from '@aws-sdk/client-eventbridge';

export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

export function targetInput({ Input, InputPath, InputTransformer }: Target, event: BusEvent): string {
  if (Input !== undefined) return Input;
  if (InputPath !== undefined) return JSON.stringify(at(event, InputPath) ?? null);
  if (InputTransformer === undefined) return JSON.stringify(event);
  const { InputPathsMap = {}, InputTemplate = '' } = InputTransformer;
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(InputPathsMap).map(([name, path]) => [name, at(event, path)]),
  );
  return InputTemplate.replace(/<([\w.-]+)>/g, (_whole, name: string, offset: number) => {
    if (name === 'aws.events.event') return JSON.stringify(event);
    if (name === 'aws.events.event.ingestion-time') return event.time;
    const value = values[name];
    if (value === undefined) return '';
    if (typeof value !== 'string') return JSON.stringify(value);
    // Within quotation marks it is a part of a text; by itself it brings its own.
    const quotes = [...InputTemplate.slice(0, offset).matchAll(/(?<!\\)"/g)].length;
    const text = JSON.stringify(value);
    return quotes % 2 === 1 ? text.slice(1, -1) : text;
  });
}

/** `$.detail.state`, `$.resources[0]`, `$`. */
function at(event: BusEvent, path: string): unknown {
  const steps = path
    .replace(/^\$\.?/, '')
    .split(/[.[\]]+/)
    .filter((step) => step !== '');
  return steps.reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], event);
}
