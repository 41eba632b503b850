/** A live fleet under traffic, from the first client to the counts of the last, whatever is done to it meanwhile. */
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Environment } from '../environment.ts';
import { type Fleet, LOAD_BALANCER } from '../fleet.ts';
import { ADDRESSES } from '../network/fabric.ts';
import { DIST } from '../paths.ts';
import { type LiveView, liveView } from '../report/live-view.ts';
import { resourceReport } from '../report/resources.ts';
import { buildResult, type RehearsalResult, type RunSettings } from '../report/result.ts';
import { verifyByAccessLog } from '../traffic/access-log.ts';
import { RECEIVER_MODES } from '../traffic/client-address.ts';
import { type PhaseStart, trafficPlan } from '../traffic/plan.ts';
import { readRecords } from '../traffic/request-record.ts';
import { startTraffic, type Traffic } from '../traffic/traffic.ts';
import { Observer } from './observer.ts';
import type { ScenarioOptions } from './options.ts';
import { pause } from './pause.ts';
import { receiverMode } from './receiver-mode.ts';
import { watchResources } from './resource-watch.ts';

const SOURCES = 24;

/**
 * Clients before, while and after the script runs, and what they and nginx's access logs have counted.
 *
 * @param script  does what the scenario is about; answers the stack's status, `NONE` where there is none
 */
export async function underTraffic(
  environment: Environment,
  fleet: Fleet,
  options: ScenarioOptions & { readonly title: string },
  interrupted: AbortSignal,
  script: (traffic: Traffic) => Promise<string>,
): Promise<RehearsalResult> {
  const view = liveView(process.stdout);
  const observer = new Observer(environment, fleet, options.title, idleNodeAddresses(options));
  const recordFile = path.join(environment.directory.path, 'requests.jsonl');
  const traffic = await startClients(environment, fleet, options, recordFile);
  environment.cleanup.use('the clients', traffic);
  const stopDrawing = draw(observer, traffic, view);
  const resources = watchResources(environment.directory.runId);
  try {
    await traffic.ready;
    await pause(options.seconds * 1000, interrupted);
    const status = await script(traffic);
    await pause(options.seconds * 1000, interrupted);
    const counted = await traffic.stop();
    // Before the logs are read: what that takes is no leak.
    resources[Symbol.dispose]();
    await stopDrawing();

    const accessLog = await verifyByAccessLog(readRecords(recordFile), accessLogLines(fleet), {
      nodes: NODE_ADDRESSES,
      albs: counted.albAddresses,
      phases: counted.phases,
    });
    return buildResult({
      settings: settings(options),
      traffic: counted,
      accessLog,
      stack: { status },
      versions: await versions(fleet),
      timeline: observer.timeline(),
      resources: resourceReport(resources.series(), counted.endMs - counted.startMs),
    });
  } finally {
    resources[Symbol.dispose]();
    await stopDrawing();
    observer.close();
  }
}

function settings(options: ScenarioOptions): RunSettings {
  const { order, machines, nodes, cycles, policyDelayMs, image, release } = options;
  return { order, machines, nodes, cycles, policyDelayMs, image, release };
}

/** Of all the load balancers that a scenario may make: whichever of them a connection came by, it is a node's address. */
const NODE_ADDRESSES = Array.from({ length: 32 }, (_, index) => ADDRESSES.node(index));

function nodeAddresses({ nodes }: ScenarioOptions): string[] {
  return Array.from({ length: nodes }, (_, index) => ADDRESSES.node(index));
}

function idleNodeAddresses(options: ScenarioOptions): string[] {
  return nodeAddresses(options).slice(options.nodes - options.idleNodes);
}

async function startClients(
  environment: Environment,
  fleet: Fleet,
  options: ScenarioOptions,
  recordFile: string,
): Promise<Traffic> {
  const sources = Array.from({ length: SOURCES }, (_, index) => ADDRESSES.client(index));
  const { namespace } = await environment.fabric.addHost('clients', sources);
  const nodes = nodeAddresses(options);
  return startTraffic({
    command: ['ip', 'netns', 'exec', namespace, process.execPath, path.join(DIST, 'rehearsal/traffic.mjs')],
    plan: trafficPlan({
      sources,
      targets: nodes.slice(0, options.nodes - options.idleNodes),
      nodes: NODE_ADDRESSES,
      tls: {
        servername: environment.elb.loadBalancers.get(LOAD_BALANCER).dnsName,
        ca: environment.dataPlane.certificatePem,
      },
      webSockets: { clients: options.webSockets },
      phase: phaseNow(fleet),
      maxSeconds: 7_200,
      recordFile,
    }),
  });
}

/** What the receivers are in before anything is done to them: one mode, or it cannot be said. */
function phaseNow({ instances }: Fleet): PhaseStart {
  const [mode, ...others] = new Set(instances.map(receiverMode));
  if (mode === undefined || mode === 'unknown' || others.length > 0) return { name: 'starting', modes: RECEIVER_MODES };
  return { name: mode, modes: [mode] };
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
  drawing.catch((error: unknown) => {
    // When the environment ends under it, whoever ended it says why; before that, nobody else would.
    if (!stopped) console.error('The live picture has ended:', error);
  });
  return async () => {
    if (stopped) return;
    stopped = true;
    await drawing.catch(() => {});
    view.done();
  };
}

/** One after the other: an hour's logs are longer than a string can be. */
async function* accessLogLines(fleet: Fleet): AsyncGenerator<string> {
  for (const { machine } of fleet.instances) {
    yield* createInterface({ input: createReadStream(machine.writtenFile('/var/log/nginx/proxyflip.access.log')) });
  }
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
