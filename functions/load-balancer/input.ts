/**
 * What the runbook's steps pass. Automation passes strings and lists of strings; an unknown or missing one is an error that
 * names it, since a typing error in the runbook must not look like a default.
 */
import * as v from 'valibot';
import { ProxyflipError } from '../shared/errors.ts';
import { parsePortList } from '../shared/ports.ts';

const loadBalancerName = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9-]{1,32}$/, '1 to 32 letters, digits and hyphens'));
const direction = v.picklist(['enable', 'disable']);
const mode = v.picklist(['plain', 'both', 'proxy']);
const text = v.string();
const id = v.pipe(v.string(), v.minLength(1, 'at least one character'));
const seconds = v.pipe(v.string(), v.regex(/^\d{1,6}$/, 'a whole number of seconds'), v.transform(Number));
const yesNo = v.pipe(
  v.picklist(['yes', 'no']),
  v.transform((value) => value === 'yes'),
);
const portList = (name: string) =>
  v.pipe(
    v.string(),
    v.transform((value) => parsePortList(name, value)),
  );
const texts = v.array(v.string());
/** What a step has described, as EC2 gives it. */
const objects = v.array(v.looseObject({}));

const held = { loadBalancerName, executionId: id };

const request = {
  ...held,
  direction,
  owner: text,
  startedBy: text,
  tagKey: id,
  tagValue: text,
  includePorts: portList('IncludePorts'),
  excludePorts: portList('ExcludePorts'),
  foreignPolicy: v.picklist(['Adopt', 'Refuse']),
  emptyFleet: v.picklist(['Allow', 'Refuse']),
  finalMode: v.picklist(['proxy', 'both']),
  healthPort: id,
  planOnly: yesNo,
};

export const operations = {
  AwaitFleet: v.strictObject({
    operation: v.literal('AwaitFleet'),
    ...held,
    direction,
    tagKey: id,
    tagValue: text,
    emptyFleet: v.picklist(['Allow', 'Refuse']),
    waitSeconds: seconds,
  }),
  Begin: v.strictObject({ operation: v.literal('Begin'), ...request }),
  Plan: v.strictObject({ operation: v.literal('Plan'), ...request, subnetCidrs: texts, nodeAddresses: texts }),
  RefuseHealthCheck: v.strictObject({
    operation: v.literal('RefuseHealthCheck'),
    ...held,
    includePorts: portList('IncludePorts'),
    excludePorts: portList('ExcludePorts'),
    healthPort: id,
    subnetCidrs: texts,
    securityGroups: objects,
    commandId: text,
  }),
  Compare: v.strictObject({
    operation: v.literal('Compare'),
    ...held,
    direction,
    commandId: text,
    instancePorts: text,
    finalMode: mode,
    trustedCidrs: text,
    settings: text,
    planOnly: yesNo,
  }),
  ConfirmReceivers: v.strictObject({ operation: v.literal('ConfirmReceivers'), ...held, commandId: id, mode }),
  SetPolicies: v.strictObject({ operation: v.literal('SetPolicies'), ...held, direction }),
  Judge: v.strictObject({
    operation: v.literal('Judge'),
    ...held,
    direction,
    commandId: text,
    nodes: text,
    quietSeconds: seconds,
    boundSeconds: seconds,
    unmeasuredNode: v.picklist(['Assume', 'StayBoth']),
  }),
  Conclude: v.strictObject({ operation: v.literal('Conclude'), ...held, finalMode: mode }),
  Finish: v.strictObject({ operation: v.literal('Finish'), ...held, owner: text, mode, settings: text }),
  Forget: v.strictObject({ operation: v.literal('Forget'), ...held }),
  Report: v.strictObject({ operation: v.literal('Report'), ...held, commandId: text }),
  Undo: v.strictObject({ operation: v.literal('Undo'), ...held }),
  Undone: v.strictObject({ operation: v.literal('Undone'), ...held, commandId: text, mode }),
} as const;

export type OperationName = keyof typeof operations;
export type Input = { [Name in OperationName]: v.InferOutput<(typeof operations)[Name]> }[OperationName];
export type InputOf<Name extends OperationName> = v.InferOutput<(typeof operations)[Name]>;

export function parseInput(event: unknown): Input {
  const operation = (event as { operation?: unknown } | null)?.operation;
  const schema = Object.entries(operations).find(([name]) => name === operation)?.[1];
  if (schema === undefined) {
    throw new InvalidInputError('operation', operation, `one of ${Object.keys(operations).join(', ')}`);
  }
  const result = v.safeParse(schema, event);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new InvalidInputError(v.getDotPath(issue) ?? 'event', issue.input, issue.message);
}

class InvalidInputError extends ProxyflipError {
  constructor(name: string, value: unknown, allowed: string) {
    super('ERR_INVALID_INPUT', `${name} is ${JSON.stringify(value) ?? 'missing'}: ${allowed}.`);
  }
}
