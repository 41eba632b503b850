/**
 * The resource's properties. CloudFormation sends every scalar as a string, and leaves out what is not set. What the runbook
 * checks itself (whether a port is fed, whether a tag is there) is checked there; here is what would otherwise fail late.
 *
 * A table and twenty lines, not the schema library that the steps' function uses: with two SDK clients in it this bundle
 * is at its limit of 450 KB already.
 */
import { ProxyflipError } from '../shared/errors.ts';

interface Property {
  readonly allowed: string;
  readonly isAllowed: (value: string) => boolean;
  /** undefined = must be given. */
  readonly fallback: string | undefined;
}

const matching = (pattern: RegExp, allowed: string, fallback?: string): Property => ({
  allowed,
  isAllowed: (value) => pattern.test(value),
  fallback,
});
const oneOf = (values: readonly [string, ...string[]]): Property => ({
  allowed: `one of ${values.join(', ')}`,
  isAllowed: (value) => values.includes(value),
  fallback: values[0],
});
const wholeNumber = (min: number, max: number, fallback: string): Property => ({
  allowed: `a whole number from ${min} to ${max}`,
  isAllowed: (value) => /^\d{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max,
  fallback,
});

/** Where a property has a list of values, the first is what holds if it is not given. */
const PROPERTIES = {
  ServiceToken: matching(/./, 'the function’s ARN'),
  ServiceTimeout: wholeNumber(1, 3600, '3600'),
  LoadBalancerName: matching(/^[a-zA-Z0-9-]{1,32}$/, 'a name of 1 to 32 letters, digits and hyphens'),
  FleetTagKey: matching(/^[\w.:/=+@-]{1,128}$/, 'a tag key of 1 to 128 characters'),
  FleetTagValue: matching(/^[\w.:/=+@ -]{1,256}$/, 'a tag value of 1 to 256 characters'),
  IncludePorts: matching(/^[0-9, ]{0,500}$/, 'ports separated by commas', ''),
  ExcludePorts: matching(/^[0-9, ]{0,500}$/, 'ports separated by commas', '22'),
  EmptyFleet: oneOf(['Refuse', 'Allow']),
  FleetWaitSeconds: wholeNumber(0, 3000, '600'),
  FinalMode: oneOf(['proxy', 'both']),
  DeletionMode: oneOf(['Disable', 'Retain']),
  ExistingServers: oneOf(['Refuse', 'TakeOver']),
  ForeignPolicy: oneOf(['Adopt', 'Refuse']),
  HealthPort: wholeNumber(1, 65535, '8078'),
  AlbCidrs: matching(
    /^(\d{1,3}(\.\d{1,3}){3}\/\d{1,2}( \d{1,3}(\.\d{1,3}){3}\/\d{1,2}){0,31})?$/,
    'IPv4 ranges with a space between them',
    '',
  ),
  QuietSeconds: wholeNumber(1, 3000, '30'),
  MeasureSeconds: wholeNumber(1, 3000, '900'),
  UnmeasuredNode: oneOf(['Assume', 'StayBoth']),
  MaxConcurrency: matching(/^([1-9]\d{0,6}|[1-9]\d?%|100%)$/, 'a number, or a percentage', '50'),
  MaxErrors: matching(/^(\d{1,7}|\d{1,2}%|100%)$/, 'a number, or a percentage', '0'),
  Chat: oneOf(['Off', 'On']),
  ChatArtifactUrl: matching(
    /^((https?|s3):\/\/[A-Za-z0-9._~:/?&=%@+,-]{1,1000})?$/,
    'an https, http or s3 address',
    '',
  ),
  ChatArtifactSha256: matching(/^([0-9a-f]{64})?$/, '64 hexadecimal digits', ''),
} as const satisfies Readonly<Record<string, Property>>;

type PropertyName = keyof typeof PROPERTIES;
export type Properties = Readonly<Record<PropertyName, string>>;
const NAMES = Object.keys(PROPERTIES) as PropertyName[];

export function parseProperties(given: Readonly<Record<string, unknown>>): Properties {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(PROPERTIES, name)) {
      throw new InvalidPropertyError(name, given[name], `nothing, it is not known; known are ${NAMES.join(', ')}`);
    }
  }
  const parsed = NAMES.map((name) => {
    const { allowed, isAllowed, fallback }: Property = PROPERTIES[name];
    const value = given[name] ?? fallback;
    if (typeof value !== 'string' || !isAllowed(value)) throw new InvalidPropertyError(name, value, allowed);
    return [name, value] as const;
  });
  return Object.fromEntries(parsed) as Properties;
}

class InvalidPropertyError extends ProxyflipError {
  constructor(name: string, value: unknown, allowed: string) {
    super('ERR_INVALID_PROPERTY', `property ${name} is ${JSON.stringify(value) ?? 'missing'}; allowed: ${allowed}.`);
  }
}
