/** The command line's words as one typed value, or an error that names the option, its value and what is allowed. */
import { parseArgs } from 'node:util';
import { RehearsalError } from '../host/rehearsal-error.ts';
import { IMAGES, type ImageName, RELEASES, type Release } from '../machines/images.ts';
import type { Order } from '../report/result.ts';

export const ORDERS: readonly Order[] = ['runbook', 'elb-first', 'nginx-first'];

export interface ScenarioOptions {
  readonly order: Order;
  readonly machines: number;
  readonly nodes: number;
  /** Each node takes a policy after a delay of its own in this range. Unit: milliseconds. */
  readonly policyDelayMs: readonly [number, number];
  /** A node that the load balancer has and that its name does not resolve to: no client comes by it. */
  readonly idleNodes: number;
  /** Traffic before and after the switch, each. Unit: seconds. */
  readonly seconds: number;
  /** 0 = enable once; n = enable and disable, n times. */
  readonly cycles: number;
  /** Between two switches of several, so that each mode is seen at rest. Unit: seconds. */
  readonly restSeconds: number;
  /** Kept open from the beginning to the end. */
  readonly webSockets: number;
  /** For the runbook; undefined = as it ships. Unit: seconds. */
  readonly quietSeconds: number | undefined;
  /** In each switch an instance is launched and another is ended. */
  readonly launchDuring: boolean;
  readonly image: ImageName;
  readonly release: Release;
  readonly json: string | undefined;
  readonly html: string | undefined;
  readonly svg: string | undefined;
  /** For `cancel`: the steps to cancel in; for `drift`: the kinds to make; for `faults`: the parts. undefined = all. */
  readonly only: readonly string[] | undefined;
  /** For `faults`: the page that the run writes. */
  readonly markdown: string | undefined;
  /** For `faults`: what earlier runs have written by --json, to stand on the page too. */
  readonly with: readonly string[] | undefined;
  /** For `drift`: how often a healthy fleet is checked. */
  readonly checks: number;
  /** `npm start` ends by itself instead of staying until Ctrl-C. */
  readonly once: boolean;
  /** On 127.0.0.1, for a browser on the host. */
  readonly pagePort: number;
  /** Of the AWS endpoint. 0 = one that is free. */
  readonly apiPort: number;
}

export const USAGE = `npm start -- [--once] [options]
npm run rehearse -- switch | compare | stack | gates | access | cancel | container | beanstalk | migrate | drift | faults | serve [options]

  --order runbook|elb-first|nginx-first   who switches first (switch; default runbook)
  --machines N              instances behind the load balancer, 1 to 20 (default 3)
  --nodes N                 nodes of the load balancer, 1 to 8 (default 2)
  --idle-nodes N            how many of them no client comes by (default 0)
  --policy-delay-ms A..B    when a policy reaches a node (default 500..4000; 0..120000 works)
  --seconds S               traffic before and after the switch, each (default 20)
  --cycles N                enable and disable, N times (default 0: enable once)
  --rest-seconds S          between two switches of several (default 3)
  --web-sockets N           how many are open from the beginning to the end (default 60)
  --quiet-seconds S         the runbook's QuietSeconds, in short rounds (default: as it ships)
  --launch-during           launch an instance in each switch, and end another
  --image bare|baked|amazon what the machines have (default baked)
  --release bookworm|trixie which Debian they are (default bookworm)
  --only NAME,NAME          (cancel) in these steps of the runbook only; (drift) these kinds only; (faults) these parts only
  --checks N                (drift) how often a healthy fleet is checked (default 20)
  --json FILE               write the result
  --html FILE               write the result as a page
  --svg FILE                write the result as a picture
  --markdown FILE           (faults) write the matrix as a page
  --with FILE,FILE          (faults) what earlier runs of parts wrote by --json, for the page
  --page-port P             where the chat page is on 127.0.0.1 (default 8443)
  --api-port P              where the AWS endpoint is on 127.0.0.1 (default: one that is free)
  --once                    (npm start) end by itself`;

const OPTIONS = {
  order: { type: 'string', default: 'runbook' },
  machines: { type: 'string', default: '3' },
  nodes: { type: 'string', default: '2' },
  'idle-nodes': { type: 'string', default: '0' },
  'policy-delay-ms': { type: 'string', default: '500..4000' },
  seconds: { type: 'string', default: '20' },
  cycles: { type: 'string', default: '0' },
  'rest-seconds': { type: 'string', default: '3' },
  'web-sockets': { type: 'string', default: '60' },
  'quiet-seconds': { type: 'string' },
  'launch-during': { type: 'boolean', default: false },
  image: { type: 'string', default: 'baked' },
  release: { type: 'string', default: 'bookworm' },
  only: { type: 'string' },
  checks: { type: 'string', default: '20' },
  json: { type: 'string' },
  html: { type: 'string' },
  svg: { type: 'string' },
  markdown: { type: 'string' },
  with: { type: 'string' },
  'page-port': { type: 'string', default: '8443' },
  'api-port': { type: 'string', default: '0' },
  once: { type: 'boolean', default: false },
} as const;

export function parseOptions(args: readonly string[]): ScenarioOptions {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    throw new RehearsalError('ERR_USAGE', (error as Error).message, `the options are:\n\n${USAGE}`);
  }
  const nodes = whole('nodes', values.nodes, 1, 8);
  return {
    order: oneOf('order', values.order, ORDERS),
    machines: whole('machines', values.machines, 1, 20),
    nodes,
    idleNodes: whole('idle-nodes', values['idle-nodes'], 0, nodes - 1),
    policyDelayMs: range('policy-delay-ms', values['policy-delay-ms']),
    seconds: whole('seconds', values.seconds, 1, 3600),
    cycles: whole('cycles', values.cycles, 0, 1000),
    restSeconds: whole('rest-seconds', values['rest-seconds'], 1, 3600),
    webSockets: whole('web-sockets', values['web-sockets'], 1, 1000),
    quietSeconds:
      values['quiet-seconds'] === undefined ? undefined : whole('quiet-seconds', values['quiet-seconds'], 1, 3000),
    launchDuring: values['launch-during'],
    image: oneOf('image', values.image, IMAGES),
    release: oneOf('release', values.release, RELEASES),
    only: values.only?.split(','),
    checks: whole('checks', values.checks, 1, 1000),
    json: values.json,
    html: values.html,
    svg: values.svg,
    markdown: values.markdown,
    with: values.with?.split(','),
    once: values.once,
    pagePort: whole('page-port', values['page-port'], 1, 65535),
    apiPort: whole('api-port', values['api-port'], 0, 65535),
  };
}

const parse = (args: readonly string[]) =>
  parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false }).values;

function refuse(name: string, value: string, allowed: string): never {
  throw new RehearsalError('ERR_USAGE', `--${name} has the value "${value}"`, `it takes ${allowed}`);
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  return allowed.find((each) => each === value) ?? refuse(name, value, allowed.join(', '));
}

function whole(name: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most)
    refuse(name, value, `a whole number from ${least} to ${most}`);
  return number;
}

function range(name: string, value: string): readonly [number, number] {
  const [, from = '', to = ''] = /^(\d+)\.\.(\d+)$/.exec(value) ?? [];
  if (from === '' || Number(from) > Number(to)) refuse(name, value, 'two whole numbers, the smaller first: 500..4000');
  return [Number(from), Number(to)];
}
