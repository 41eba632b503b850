/**
 * An API's shapes, taken from the schemas that the AWS SDK for JavaScript exports (`DescribeLoadBalancers$`,
 * `AccessPointNotFoundException$` …), so that what the rehearsal reads and writes cannot differ from what clients do.
 *
 * The SDK's authors call the schema layer an implementation detail: the SDK is pinned exactly, and `test/rehearsal/aws`
 * round-trips with the real clients. A schema is a tuple; what its places mean is in `@smithy/types`, static-schemas.
 */
import { NormalizedSchema } from '@smithy/core/schema';

export type Schema = NormalizedSchema;
type SchemaReference = Parameters<typeof NormalizedSchema.of>[0];

export interface Operation {
  readonly name: string;
  readonly input: Schema;
  readonly output: Schema;
  /** REST protocols: method, path template, status of success. */
  readonly http: readonly [string, string, number] | undefined;
}

export interface ModelledError {
  /** The SDK's class, which is the shape's name: `AccessPointNotFoundException`. */
  readonly className: string;
  /** What stands on the wire: `LoadBalancerNotFound`. */
  readonly code: string;
  readonly statusCode: number;
  readonly schema: Schema;
}

export interface ServiceModel {
  readonly version: string;
  readonly xmlNamespace: string;
  /** Before the dot in `X-Amz-Target`. */
  readonly targetPrefix: string;
  readonly operations: ReadonlyMap<string, Operation>;
  /** By the code on the wire. */
  readonly errors: ReadonlyMap<string, ModelledError>;
}

const OPERATION = 9;
const ERROR = -3;

/**
 * @param client  a client's whole module (`import * as sdk from '@aws-sdk/client-ssm'`), or schemas written by hand
 * @param api     as in the client's runtimeConfig.shared.js
 */
export function modelOf(
  client: Readonly<Record<string, unknown>>,
  api: { version: string; xmlNamespace?: string; targetPrefix?: string; wireCodes?: 'awsQueryError' | 'shapeName' },
): ServiceModel {
  const operations = new Map<string, Operation>();
  const errors = new Map<string, ModelledError>();
  for (const schema of Object.values(client)) {
    if (!Array.isArray(schema)) continue;
    if (schema[0] === OPERATION) {
      const [, , name, traits, input, output] = schema as [number, string, string, Traits, unknown, unknown];
      operations.set(name, { name, input: of(input), output: of(output), http: traitsOf(traits).http });
    } else if (schema[0] === ERROR) {
      const [, , className, traits] = schema as [number, string, string, Traits];
      const { awsQueryError, httpError, error } = traitsOf(traits);
      const [queryCode, queryStatus] = awsQueryError ?? [];
      const byQuery = api.wireCodes === 'awsQueryError';
      const code = (byQuery ? queryCode : undefined) ?? className;
      const statusCode = (byQuery ? queryStatus : undefined) ?? httpError ?? (error === 'server' ? 500 : 400);
      errors.set(code, { className, code, statusCode, schema: of(schema) });
    }
  }
  return {
    version: api.version,
    xmlNamespace: api.xmlNamespace ?? '',
    targetPrefix: api.targetPrefix ?? '',
    operations,
    errors,
  };
}

/** Members stand in the schema with the required ones first, and their number is the tuple's seventh place. */
export function requiredMembers(structure: Schema): readonly string[] {
  const [, , , , names, , count = 0] = structure.getSchema() as unknown as [
    number,
    string,
    string,
    Traits,
    string[],
    unknown[],
    number?,
  ];
  return names.slice(0, count);
}

interface KnownTraits {
  readonly http?: readonly [string, string, number];
  readonly awsQueryError?: readonly [string, number];
  readonly httpError?: number;
  readonly error?: 'client' | 'server';
}
type Traits = number | KnownTraits;

const traitsOf = (traits: Traits): KnownTraits => (typeof traits === 'object' ? traits : {});
const of = (schema: unknown): Schema => NormalizedSchema.of(schema as SchemaReference);
