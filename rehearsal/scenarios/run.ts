/** One switch of a live fleet under traffic, from the first client to the verdict: what `npm start` and `switch` both run. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Environment } from '../environment.ts';
import { type Fleet, LOAD_BALANCER } from '../fleet.ts';
import { RehearsalError } from '../host/rehearsal-error.ts';
import { ADDRESSES } from '../network/fabric.ts';
import { DIST } from '../paths.ts';
import { renderHtml } from '../report/html.ts';
import { type LiveView, liveView } from '../report/live-view.ts';
import { buildResult, type RehearsalResult, type RunSettings } from '../report/result.ts';
import { verifyByAccessLog } from '../traffic/access-log.ts';
import { trafficPlan } from '../traffic/plan.ts';
import { readRecords } from '../traffic/request-record.ts';
import { startTraffic, type Traffic } from '../traffic/traffic.ts';
import { Observer } from './observer.ts';
import type { ScenarioOptions } from './options.ts';
import { followRunbook, switchLoadBalancerFirst, switchNginxFirst } from './orders.ts';
import { pause } from './pause.ts';
import { createStack, stackParameters, waitForStack } from './stack.ts';

const SOURCES = 24;
/** CloudFormation's own bound for a custom resource is an hour; a policy that takes two minutes to a node is far below it. */
const STACK_LIMIT_MS = 1_800_000;

export async function runSwitch(
  environment: Environment,
  fleet: Fleet,
  options: ScenarioOptions,
  interrupted: AbortSignal,
): Promise<RehearsalResult> {
  const view = liveView(process.stdout);
  const observer = new Observer(environment, fleet, title(options), idleNodeAddresses(options));
  const recordFile = path.join(environment.directory.path, 'requests.jsonl');
  const traffic = await startClients(environment, options, recordFile);
  environment.cleanup.use('the clients', traffic);
  const stopDrawing = draw(observer, traffic, view);
  try {
    await traffic.ready;
    await pause(options.seconds * 1000, interrupted);
    const status = await switchOnce(environment, fleet, options, traffic, interrupted);
    await pause(options.seconds * 1000, interrupted);
    const counted = await traffic.stop();
    await stopDrawing();

    const accessLog = verifyByAccessLog(await readRecords(recordFile), await accessLogLines(fleet), {
      nodes: nodeAddresses(options),
      phases: counted.phases,
    });
    return buildResult({
      settings: settings(options),
      traffic: counted,
      accessLog,
      stack: { status },
      versions: await versions(fleet),
      timeline: observer.timeline(),
    });
  } finally {
    await stopDrawing();
    observer.close();
  }
}

/** @returns the stack's status; `NONE` where the order has no stack */
async function switchOnce(
  environment: Environment,
  fleet: Fleet,
  options: ScenarioOptions,
  traffic: Traffic,
  interrupted: AbortSignal,
): Promise<string> {
  switch (options.order) {
    case 'runbook': {
      const stopFollowing = followRunbook(environment, traffic, () => 'enable');
      try {
        await createStack(environment, stackParameters(fleet));
        return await waitForStack(environment, interrupted, STACK_LIMIT_MS);
      } finally {
        stopFollowing();
      }
    }
    case 'elb-first':
      await switchLoadBalancerFirst(environment, fleet, traffic, interrupted);
      return 'NONE';
    case 'nginx-first':
      await switchNginxFirst(environment, fleet, traffic, interrupted);
      return 'NONE';
    default: {
      const never: never = options.order;
      throw new Error(`no such order: ${never}`);
    }
  }
}

function title({ order }: ScenarioOptions): string {
  if (order === 'elb-first') return `${LOAD_BALANCER}: the load balancer first, then nginx`;
  if (order === 'nginx-first') return `${LOAD_BALANCER}: nginx first, then the load balancer`;
  return `${LOAD_BALANCER}: PROXY protocol on, by a CloudFormation stack`;
}

function settings(options: ScenarioOptions): RunSettings {
  const { order, machines, nodes, cycles, policyDelayMs, image, release } = options;
  return { order, machines, nodes, cycles, policyDelayMs, image, release };
}

function nodeAddresses({ nodes }: ScenarioOptions): string[] {
  return Array.from({ length: nodes }, (_, index) => ADDRESSES.node(index));
}

function idleNodeAddresses(options: ScenarioOptions): string[] {
  return nodeAddresses(options).slice(options.nodes - options.idleNodes);
}

async function startClients(environment: Environment, options: ScenarioOptions, recordFile: string): Promise<Traffic> {
  const sources = Array.from({ length: SOURCES }, (_, index) => ADDRESSES.client(index));
  const { namespace } = await environment.fabric.addHost('clients', sources);
  const nodes = nodeAddresses(options);
  return startTraffic({
    command: ['ip', 'netns', 'exec', namespace, process.execPath, path.join(DIST, 'rehearsal/traffic.mjs')],
    plan: trafficPlan({
      sources,
      targets: nodes.slice(0, options.nodes - options.idleNodes),
      nodes,
      tls: {
        servername: environment.elb.loadBalancers.get(LOAD_BALANCER).dnsName,
        ca: environment.dataPlane.certificatePem,
      },
      maxSeconds: 7_200,
      recordFile,
    }),
  });
}

/** Once a second until told to stop; the last picture stays. */
function draw(observer: Observer, traffic: Traffic, view: LiveView): () => Promise<void> {
  let stopped = false;
  const drawing = (async () => {
    while (!stopped) {
      view.update(await observer.look(traffic.latest()));
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  })();
  drawing.catch(() => {
    // The environment ended under it; whoever ended it says why.
  });
  return async () => {
    if (stopped) return;
    stopped = true;
    await drawing.catch(() => {});
    view.done();
  };
}

async function accessLogLines(fleet: Fleet): Promise<string[]> {
  const logs = fleet.instances.map(({ machine }) =>
    readFile(machine.writtenFile('/var/log/nginx/proxyflip.access.log'), 'utf8'),
  );
  return (await Promise.all(logs)).flatMap((log) => log.split('\n'));
}

async function versions(fleet: Fleet): Promise<RehearsalResult['versions']> {
  const machine = fleet.instances[0]?.machine;
  const said = await machine?.exec([
    'sh',
    '-c',
    'nginx -v 2>&1; haproxy -v | head -n 1; systemctl --version | head -n 1',
  ]);
  const [nginx = '', haproxy = '', systemd = ''] = (said?.stdout ?? '').split('\n');
  return {
    nginx: nginx.replace(/.*nginx\//, ''),
    haproxy: /version (\d[\d.]*)/.exec(haproxy)?.[1] ?? haproxy,
    node: process.versions.node,
    systemd: systemd.split(' ')[1] ?? systemd,
  };
}

/** Write what was asked for by --json and --html. @throws RehearsalError  a file that cannot be written, named */
export async function writeReports(result: RehearsalResult, options: ScenarioOptions): Promise<void> {
  const files: [string | undefined, () => string][] = [
    [options.json, () => `${JSON.stringify(result, null, 2)}\n`],
    [options.html, () => renderHtml([result])],
  ];
  for (const [file, content] of files) {
    if (file === undefined) continue;
    await writeFile(file, content()).catch((error: Error) => {
      throw new RehearsalError(
        'ERR_REPORT',
        `the report cannot be written to ${file}: ${error.message}`,
        'name a file that can be written',
      );
    });
  }
}
