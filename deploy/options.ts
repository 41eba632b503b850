/** The command lines of `npm run package` and `npm run deploy`, as data. */
import { parseArgs } from 'node:util';
import { ProxyflipError } from '../functions/shared/errors.ts';

export const USAGE = `npm run package -- --bucket BUCKET [--prefix PREFIX] [--output FILE]
npm run deploy  -- --bucket BUCKET --load-balancer NAME --fleet-tag KEY=VALUE [options]

  --bucket BUCKET          where functions, templates and the chat go, in the Region of the stack
  --prefix PREFIX          what their keys begin with; default: nothing
  --template NAME          of cloudformation/, without .yaml; default: proxy-protocol

package
  --output FILE            write the packaged template there, too

deploy
  --load-balancer NAME     of the Classic Load Balancer (parameter LoadBalancerName)
  --fleet-tag KEY=VALUE    that every instance of the fleet carries (FleetTagKey, FleetTagValue)
  --stack NAME             default: proxyflip
  --parameter NAME=VALUE   any other parameter of the template; may be repeated. What is not given keeps its value in an update
  --tag KEY=VALUE          on the stack and all that it makes; may be repeated
  --plan                   show what would be done; nothing but the uploads is left behind

Credentials and Region are found as every AWS SDK finds them (AWS_PROFILE, AWS_REGION or AWS_DEFAULT_REGION, …).`;

export interface PackageOptions {
  readonly bucket: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
  /** Of the template, as cloudformation/<name>.yaml. */
  readonly template: string;
  readonly output: string | undefined;
}

export interface DeployOptions extends PackageOptions {
  readonly stack: string;
  /** By the template's names for them. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly plan: boolean;
}

export type CommandLine =
  | { readonly command: 'help' }
  | { readonly command: 'package'; readonly options: PackageOptions }
  | { readonly command: 'deploy'; readonly options: DeployOptions };

/** @throws ProxyflipError ERR_USAGE  naming what was not understood, or is missing */
export function parseCommandLine([command = '', ...args]: readonly string[]): CommandLine {
  if (command === 'help' || args.includes('--help')) return { command: 'help' };
  switch (command) {
    case 'package': {
      const { values } = parse(args, { ...COMMON, output: { type: 'string' } });
      return { command, options: { ...common(values), output: text(values.output) } };
    }
    case 'deploy': {
      const { values } = parse(args, { ...COMMON, ...DEPLOY });
      const stack = text(values.stack) ?? 'proxyflip';
      if (!/^[A-Za-z][-A-Za-z0-9]{0,127}$/.test(stack)) {
        throw usage(`--stack is ${JSON.stringify(stack)}: letters, digits and hyphens, a letter first`);
      }
      const parameters = { ...shortcuts(values), ...pairs('--parameter', values.parameter) };
      const tags = pairs('--tag', values.tag);
      return {
        command,
        options: { ...common(values), output: undefined, stack, parameters, tags, plan: values.plan === true },
      };
    }
    default:
      throw usage(command === '' ? 'no command was named' : `there is no command ${JSON.stringify(command)}`);
  }
}

const COMMON = {
  bucket: { type: 'string' },
  prefix: { type: 'string' },
  template: { type: 'string' },
} as const;

const DEPLOY = {
  'load-balancer': { type: 'string' },
  'fleet-tag': { type: 'string' },
  stack: { type: 'string' },
  parameter: { type: 'string', multiple: true },
  tag: { type: 'string', multiple: true },
  plan: { type: 'boolean' },
} as const;

type Values = Readonly<Record<string, unknown>>;

function parse(args: readonly string[], options: NonNullable<Parameters<typeof parseArgs>[0]>['options'] & object) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false });
  } catch (error) {
    throw usage((error as Error).message);
  }
}

function common(values: Values): Omit<PackageOptions, 'output'> {
  const bucket = text(values.bucket);
  if (bucket === undefined) throw usage('--bucket is missing');
  const given = text(values.prefix) ?? '';
  const prefix = given === '' || given.endsWith('/') ? given : `${given}/`;
  // As ArtifactPrefix of the template allows.
  if (!/^([\w.-]+\/){0,10}$/.test(prefix)) {
    throw usage(`--prefix is ${JSON.stringify(given)}: names with slashes between them, no slash first`);
  }
  return { bucket, prefix, template: text(values.template) ?? 'proxy-protocol' };
}

function shortcuts(values: Values): Record<string, string> {
  const loadBalancer = text(values['load-balancer']);
  const tag = text(values['fleet-tag']);
  const [FleetTagKey, FleetTagValue] = tag === undefined ? [] : pair('--fleet-tag', tag);
  return {
    ...(loadBalancer !== undefined && { LoadBalancerName: loadBalancer }),
    ...(FleetTagKey !== undefined && FleetTagValue !== undefined && { FleetTagKey, FleetTagValue }),
  };
}

function pairs(option: string, given: unknown): Record<string, string> {
  return Object.fromEntries(((given ?? []) as readonly string[]).map((each) => pair(option, each)));
}

/** Only the first `=` divides: a value may hold more of them. */
function pair(option: string, given: string): [string, string] {
  const at = given.indexOf('=');
  if (at < 1) throw usage(`${option} is ${JSON.stringify(given)}: it has to be name=value`);
  return [given.slice(0, at), given.slice(at + 1)];
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const usage = (what: string): ProxyflipError => new ProxyflipError('ERR_USAGE', `${what}.\n\n${USAGE}`);
