/** The stack's parameters: what is asked of CloudFormation, and what will hold. */
import type { Parameter } from '@aws-sdk/client-cloudformation';
import { ProxyflipError } from '../functions/shared/errors.ts';

/** `Parameters` of a template. */
export type DeclaredParameters = Readonly<Record<string, { readonly Default?: unknown }>>;

export interface StackParameters {
  /** For CreateChangeSet. */
  readonly request: readonly Parameter[];
  /** Every parameter as it will be. */
  readonly values: Readonly<Record<string, string>>;
  /** What an update changes, with the former value; to tell how to take it back. */
  readonly changed: readonly { readonly name: string; readonly before: string; readonly after: string }[];
}

/** They say where this template's artifacts are, so that only what this template was packaged with can be right. */
const OF_THE_PACKAGE = ['ArtifactBucket', 'ArtifactPrefix'];

/**
 * @param before  of the stack as it is; undefined = there is none
 * @param given   by name
 * @throws ProxyflipError ERR_PARAMETER  one that the template does not have, or one that is needed and missing; all of them by name
 */
export function stackParameters(
  declared: DeclaredParameters,
  before: Readonly<Record<string, string>> | undefined,
  given: Readonly<Record<string, string>>,
): StackParameters {
  const unknown = Object.keys(given).filter((name) => !(name in declared));
  if (unknown.length > 0) {
    throw new ProxyflipError(
      'ERR_PARAMETER',
      `the template has no parameter ${unknown.join(', ')}. It has ${Object.keys(declared).join(', ')}.`,
    );
  }
  const entries = Object.entries(declared).map(([name, { Default }]) => {
    const kept = OF_THE_PACKAGE.includes(name) ? undefined : before?.[name];
    const value = given[name] ?? kept ?? (Default === undefined ? undefined : String(Default));
    return { name, value, isKept: given[name] === undefined && kept !== undefined };
  });
  const missing = entries.filter(({ value }) => value === undefined).map(({ name }) => name);
  if (missing.length > 0) {
    throw new ProxyflipError(
      'ERR_PARAMETER',
      `the template needs ${missing.join(', ')}. Give each as --parameter NAME=VALUE.`,
    );
  }
  const values = Object.fromEntries(entries.map(({ name, value = '' }) => [name, value]));
  return {
    // A kept one is asked for as such: of a secret only CloudFormation knows the value.
    request: entries.map(({ name, value = '', isKept }) =>
      isKept ? { ParameterKey: name, UsePreviousValue: true } : { ParameterKey: name, ParameterValue: value },
    ),
    values,
    changed: Object.entries(before ?? {}).flatMap(([name, former]) => {
      const after = values[name];
      return after === undefined || after === former ? [] : [{ name, before: former, after }];
    }),
  };
}

/** @throws ProxyflipError ERR_PARAMETER  a switch without its names: the template's own rule, before anything is made */
export function requireNames({ SwitchFromStack, LoadBalancerName, FleetTagValue }: StackParameters['values']): void {
  if (SwitchFromStack !== 'Yes') return;
  const missing = [
    ...(LoadBalancerName === '' ? ['--load-balancer NAME'] : []),
    ...(FleetTagValue === '' ? ['--fleet-tag KEY=VALUE'] : []),
  ];
  if (missing.length === 0) return;
  throw new ProxyflipError(
    'ERR_PARAMETER',
    `${missing.join(' and ')} is missing. For the runbook alone, to be run from the console, give --parameter SwitchFromStack=No.`,
  );
}
