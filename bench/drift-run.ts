/** One check of a whole account, as its function ships it, against the rehearsal's API: what it calls, how long it takes, what it needs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CheckAnswer } from '../functions/drift-check/finding.ts';
import type { Receiver } from '../functions/drift-check/receiver.ts';
import type { SwitchState } from '../functions/shared/switch-state.ts';
import type { Interceptor } from '../rehearsal/aws/faults.ts';
import { createPaperAccount, POLICY, TAG_KEY } from '../rehearsal/paper-account.ts';
import { NODE24 } from '../rehearsal/paths.ts';
import { REGION } from '../rehearsal/world.ts';
import { bundleFunction } from '../tools/build-functions.mjs';

export interface DriftRunOptions {
  readonly loadBalancers: number;
  /** In all. */
  readonly instances: number;
  /** Of the account, for each service: what comes faster is throttled. */
  readonly limitPerSecond: number;
  /** Of the function itself. */
  readonly callsPerSecond: number;
  /** What an invocation may take. Unit: seconds. */
  readonly invocationSeconds?: number;
}

export interface DriftRun {
  /** Of the last invocation. */
  readonly answer: CheckAnswer;
  /** Over all invocations. */
  readonly checked: number;
  readonly invocations: number;
  /** By action, throttled ones included. */
  readonly calls: ReadonlyMap<string, number>;
  readonly throttled: number;
  readonly seconds: number;
  /** The largest that a process of the function became. Unit: MB. */
  readonly peakMb: number;
}

const NAMES = { INSPECT_DOCUMENT: 'inspect', SWITCH_DOCUMENT: 'switch', STACK_NAME: 'bench' };
const NOW = Math.floor(Date.now() / 1000);

const healthy: Receiver = {
  version: 1,
  mode: 'proxy',
  since: NOW - 86_400,
  ports: '80=http 81=https',
  cidrs: '10.0.101.0/24',
  healthPort: '8078',
  health: 200,
  nginx: { active: true, since: NOW - 86_400 },
  haproxy: { active: true, since: NOW - 86_400 },
  rule: false,
  live: { 80: 'proxy', 81: 'proxy' },
  files: [],
  chat: 'ready',
  log: {
    from: NOW - 900,
    requests: 5000,
    proxied: 7,
    lastProxied: NOW,
    broken: 0,
    lastBroken: 0,
    brokenFrom: [],
    checkers: false,
  },
};

const switched = (name: string): SwitchState => ({
  version: 1,
  owner: 'console',
  executionId: 'none',
  startedBy: 'bench',
  direction: 'enable',
  phase: 'done',
  mode: 'proxy',
  startedAt: new Date((NOW - 86_400) * 1000).toISOString(),
  instancePorts: '80=http 81=https',
  bothPorts: '80=http 81=https',
  trustedCidrs: '10.0.101.0/24',
  policyName: POLICY,
  before: { 80: [POLICY], 81: [POLICY] },
  parameters: { FleetTagKey: TAG_KEY, FleetTagValue: name, FinalMode: 'proxy' },
});

/** Loads the bundle as Lambda does, invokes it once and says what came of it. */
const CHILD = `
const endsAt = Date.now() + Number(process.env.INVOCATION_SECONDS) * 1000;
const { handler } = require(process.env.BUNDLE);
handler(JSON.parse(process.env.EVENT), { getRemainingTimeInMillis: () => endsAt - Date.now() }).then(
  (answer) => process.send({ answer, peakMb: process.resourceUsage().maxRSS / 1024 }),
  (error) => { console.error(error); process.exit(1); },
);`;

export async function runDriftCheck(options: DriftRunOptions): Promise<DriftRun> {
  await using account = await createPaperAccount({
    loadBalancers: options.loadBalancers,
    instances: options.instances / options.loadBalancers,
    state: (name) => JSON.stringify(switched(name)),
    answer: () => `${JSON.stringify(healthy)}\n`,
    callsPerSecond: options.limitPerSecond,
  });
  await account.endpoint.dispatcher.call('ssm', 'CreateDocument', {
    Name: NAMES.INSPECT_DOCUMENT,
    DocumentType: 'Command',
    DocumentFormat: 'JSON',
    Content: JSON.stringify({
      schemaVersion: '2.2',
      description: 'stands for ssm-documents/inspect.yml, whose answer is given',
      parameters: { Since: { type: 'String', description: 'as it has', default: '0' } },
      mainSteps: [{ action: 'aws:runShellScript', name: 'Inspect', inputs: { runCommand: ['true'] } }],
    }),
  });
  const from = account.calls().length;
  let goesOn: object | undefined;
  const listen: Interceptor = {
    before: ({ action, input }) => {
      if (action !== 'PutEvents') return undefined;
      const { Entries = [] } = input as { Entries?: { DetailType?: string; Detail?: string }[] };
      for (const { DetailType, Detail } of Entries)
        if (DetailType === 'proxyflip check') goesOn = JSON.parse(Detail ?? '{}') as object;
      return undefined;
    },
  };
  account.endpoint.intercept(listen);

  const folder = mkdtempSync(path.join(tmpdir(), 'proxyflip-bench-'));
  const bundle = path.join(folder, 'index.cjs');
  writeFileSync(bundle, (await bundleFunction('drift-check')).code);
  const env = {
    ...NAMES,
    BUNDLE: bundle,
    BOTH_SECONDS: '3600',
    CALLS_PER_SECOND: String(options.callsPerSecond),
    INVOCATION_SECONDS: String(options.invocationSeconds ?? 900),
    AWS_ENDPOINT_URL: account.endpoint.url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_SESSION_TOKEN: 'any',
  };
  const began = Date.now();
  let invocations = 0;
  let checked = 0;
  let peakMb = 0;
  let answer: CheckAnswer;
  try {
    let event: object | undefined = {};
    do {
      goesOn = undefined;
      const said = await invoke({ ...env, EVENT: JSON.stringify(event) });
      invocations += 1;
      answer = said.answer;
      checked += answer.loadBalancers.filter(({ status }) => status !== 'NOT_CHECKED').length;
      peakMb = Math.max(peakMb, said.peakMb);
      event = goesOn;
    } while (event !== undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const calls = new Map<string, number>();
  for (const { action } of account.calls().slice(from)) calls.set(action, (calls.get(action) ?? 0) + 1);
  return {
    answer,
    checked,
    invocations,
    calls,
    throttled: account.rateLimit?.refused ?? 0,
    seconds: (Date.now() - began) / 1000,
    peakMb,
  };
}

async function invoke(env: Readonly<Record<string, string>>): Promise<{ answer: CheckAnswer; peakMb: number }> {
  const child = spawn(NODE24, ['-e', CHILD], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const said = once(child, 'message') as Promise<[{ answer: CheckAnswer; peakMb: number }]>;
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the function ended with status ${code} before it answered`);
  });
  const [answer] = await Promise.race([said, ended as Promise<never>]);
  child.disconnect();
  await ended.catch(() => {});
  return answer;
}

/** What a check of a healthy account of this size may call at most. */
export function boundsOf({ loadBalancers, instances }: DriftRunOptions): {
  readonly reads: number;
  readonly pages: number;
  readonly commands: number;
} {
  return {
    // Policies and tags.
    reads: loadBalancers * 1.1,
    // Of load balancers; of states, and of what the check remembers.
    pages: Math.ceil(loadBalancers / 400) + Math.ceil(loadBalancers / 10) + 1,
    commands: Math.ceil(instances / 50),
  };
}

/** The calls of a run as the bounds count them. */
export function countsOf({ calls }: DriftRun): {
  readonly reads: number;
  readonly pages: number;
  readonly commands: number;
} {
  const of = (...names: string[]) => names.reduce((sum, name) => sum + (calls.get(name) ?? 0), 0);
  return {
    reads: of(
      'DescribeLoadBalancerPolicies',
      'DescribeTags',
      'DescribeInstanceHealth',
      'GetParameter',
      'GetAutomationExecution',
    ),
    pages: of('DescribeLoadBalancers', 'GetParametersByPath'),
    commands: of('SendCommand'),
  };
}
