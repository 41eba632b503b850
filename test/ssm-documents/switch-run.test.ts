/**
 * The shipped runbook on the rehearsal's Automation engine, with the functions themselves behind their real clients, and receivers
 * and nodes that are played: a node sends what the load balancer's policies say, at once.
 *
 * After every step, wherever it stops: an instance that is not in `both` gets the kind that it expects, on every instance port.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AutoScaling } from '@aws-sdk/client-auto-scaling';
import { ElasticLoadBalancing } from '@aws-sdk/client-elastic-load-balancing';
import { SSM } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { parse } from 'yaml';
import { createHandler } from '../../functions/load-balancer/handler.ts';
import { type AwsEndpoint, startAwsEndpoint } from '../../rehearsal/aws/endpoint.ts';
import type { Service } from '../../rehearsal/aws/service.ts';
import type { Configuration, DataPlane, InstanceHealth } from '../../rehearsal/elb/data-plane.ts';
import { createElbService } from '../../rehearsal/elb/service.ts';
import { createSsmService, type SsmService } from '../../rehearsal/ssm/service.ts';
import { type ExecOptions, type ExecResult, type Machine, World } from '../../rehearsal/world.ts';

/** Two whole runs take half a second; beside others on the same machine, many times that. */
jest.setTimeout(60_000);

const NODES = ['10.0.101.21', '10.0.101.22'];
const read = (name: string) =>
  parse(readFileSync(fileURLToPath(new URL(`../../ssm-documents/${name}`, import.meta.url)), 'utf8'), {
    version: '1.1',
  });
const asCloudFormationResolvesIt = (_key: string, value: { Ref?: string; 'Fn::GetAtt'?: string[] } | null) =>
  value?.Ref ?? (value?.['Fn::GetAtt'] === undefined ? value : 'arn:aws:iam::111122223333:role/automation');

interface Step {
  readonly name: string;
  readonly action: string;
  readonly inputs: { readonly Steps?: readonly Step[] };
}
const runbook: { mainSteps: readonly Step[] } = JSON.parse(
  JSON.stringify(read('switch.yml'), asCloudFormationResolvesIt),
);

class PlayedNodes implements DataPlane {
  proxyPorts: readonly number[] = [];
  async create({ proxyPorts }: Configuration): Promise<void> {
    this.proxyPorts = proxyPorts;
  }
  async update({ proxyPorts }: Configuration): Promise<void> {
    this.proxyPorts = proxyPorts;
  }
  async delete(): Promise<void> {}
  async health(): Promise<ReadonlyMap<string, InstanceHealth>> {
    return new Map();
  }
}

/** Answers as receiver.sh does, without doing it. */
class PlayedReceiver implements Machine {
  readonly name: string;
  readonly privateIpAddress: string;
  readonly #nodes: PlayedNodes;
  readonly #during: (operation: string) => Promise<void>;
  mode = 'none';
  failing = '';

  constructor(
    name: string,
    privateIpAddress: string,
    nodes: PlayedNodes,
    during: (operation: string) => Promise<void>,
  ) {
    this.name = name;
    this.privateIpAddress = privateIpAddress;
    this.#nodes = nodes;
    this.#during = during;
  }

  isRunning(): boolean {
    return true;
  }
  async reboot(): Promise<void> {}
  writtenFile(path: string): string {
    return path;
  }

  async exec(_command: readonly string[], { env, signal }: ExecOptions = {}): Promise<ExecResult> {
    const operation = env?.SSM_Operation;
    if (operation === undefined) return { exitCode: 0, stdout: '', stderr: '' };
    await this.#during(operation);
    if (signal?.aborted) return { exitCode: 137, stdout: '', stderr: '' };
    if (operation === this.failing) return { exitCode: 1, stdout: '', stderr: 'ERR_NO_TPROXY: played' };
    const before = this.mode;
    if (operation === 'SetMode') this.mode = env?.SSM_Mode ?? '';
    const ports = (env?.SSM_InstancePorts ?? '').split(' ').map((each) => Number(each.split('=')[0]));
    const seen = ports.flatMap((port) =>
      NODES.map((node) => [String(port), node, this.#nodes.proxyPorts.includes(port) ? 'proxy' : 'plain', 9, 0.3]),
    );
    const probes = (env?.SSM_Nodes ?? '').replace(/\S+ ?/g, this.#nodes.proxyPorts.length > 0 ? '1' : '0');
    const answer =
      operation === 'Measure'
        ? { mode: this.mode, uptime: 900, own: [this.privateIpAddress], seen, probes }
        : { mode: this.mode, before, changed: before !== this.mode };
    return { exitCode: 0, stdout: `words\n${JSON.stringify(answer)}\n`, stderr: '' };
  }

  /** Whether what the load balancer sends now is served. */
  get serves(): boolean {
    if (this.mode === 'both') return true;
    return [80, 81].every((port) => (this.mode === 'proxy') === this.#nodes.proxyPorts.includes(port));
  }
}

let endpoint: AwsEndpoint;
let ssm: SsmService;
let client: SSM;
let nodes: PlayedNodes;
let receivers: PlayedReceiver[];
/** Called in the middle of each step that calls something, with the step's name. */
let during: (step: string) => Promise<void>;
let current: string;
let path: string[];
let unserved: string[];

beforeEach(async () => {
  during = async () => {};
  path = [];
  unserved = [];
  const world = new World();
  nodes = new PlayedNodes();
  world.subnets.set('subnet-1', {
    subnetId: 'subnet-1',
    vpcId: 'vpc-1',
    cidrBlock: '10.0.101.0/24',
    availabilityZone: 'eu-central-1a',
  });
  receivers = [1, 2].map((n) => new PlayedReceiver(`web-${n}`, `10.0.1.${10 + n}`, nodes, () => during(current)));
  for (const [index, machine] of receivers.entries()) {
    const instanceId = `i-${String(index + 1).padStart(17, '0')}`;
    const { privateIpAddress } = machine;
    world.instances.set(instanceId, {
      instanceId,
      privateIpAddress,
      availabilityZone: 'eu-central-1a',
      tags: { fleet: 'web' },
      machine,
      agentOnline: true,
    });
  }

  const elb = createElbService({ world, dataPlane: nodes });
  ssm = createSsmService({
    world,
    dispatcher: () => endpoint.dispatcher,
    options: { lateInvocationMs: 0, deliveryMs: 0 },
  });
  ssm.subscribe((event) => {
    if (event.type !== 'step') return;
    if (event.status === 'InProgress') {
      current = event.stepName;
      path.push(event.stepName);
    }
    // Of receivers that are being changed one by one each must serve, at every moment.
    for (const receiver of receivers) {
      if (!['none'].includes(receiver.mode) && !receiver.serves)
        unserved.push(`${event.stepName}: ${receiver.name} in ${receiver.mode}`);
    }
  });
  const settings = () => ({
    endpoint: endpoint.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'x' },
  });
  const ec2: Service = {
    signingName: 'ec2',
    protocol: 'ec2Query',
    actions: {
      DescribeSubnets: async () => {
        await during(current);
        return {
          Subnets: [...world.subnets.values()].map((each) => ({ SubnetId: each.subnetId, CidrBlock: each.cidrBlock })),
        };
      },
      DescribeInstances: async () => ({
        Reservations: [...world.instances.keys()].map((InstanceId) => ({
          Instances: [{ InstanceId, SecurityGroups: [{ GroupId: 'sg-fleet' }] }],
        })),
      }),
      DescribeSecurityGroups: async () => ({
        SecurityGroups: [
          {
            GroupId: 'sg-fleet',
            IpPermissions: [{ IpProtocol: 'tcp', FromPort: 8078, ToPort: 8078, IpRanges: [{ CidrIp: '10.0.0.0/16' }] }],
          },
        ],
      }),
      DescribeNetworkInterfaces: async () => {
        await during(current);
        return {
          NetworkInterfaces: NODES.map((node) => ({
            PrivateIpAddress: node,
            PrivateIpAddresses: [{ PrivateIpAddress: node }],
          })),
        };
      },
    },
  };
  const lambda: Service = {
    signingName: 'lambda',
    protocol: 'restJson1',
    actions: {
      Invoke: async ({ Payload }: { Payload: Uint8Array }) => {
        await during(current);
        // Waiting between rounds is not what is tested here.
        const clock = { now: () => Date.now(), sleep: async () => {} };
        const handler = createHandler({
          autoScaling: new AutoScaling(settings()),
          elb: new ElasticLoadBalancing(settings()),
          ssm: new SSM(settings()),
          clock,
          log: () => {},
        });
        try {
          return {
            StatusCode: 200,
            Payload: Buffer.from(JSON.stringify(await handler(JSON.parse(Buffer.from(Payload).toString())))),
          };
        } catch (error) {
          const { name, message } = error as Error;
          return {
            StatusCode: 200,
            FunctionError: 'Unhandled',
            Payload: Buffer.from(JSON.stringify({ errorType: name, errorMessage: message })),
          };
        }
      },
    },
  };
  endpoint = await startAwsEndpoint({ services: [elb, ssm, ec2, lambda] });

  client = new SSM(settings());
  const receiverDocument = read('receiver.yml');
  receiverDocument.mainSteps[0].inputs.runCommand = ['played'];
  for (const [Name, DocumentType, Content] of [
    ['ReceiverDocument', 'Command', receiverDocument],
    ['Switch', 'Automation', runbook],
  ] as const) {
    await client.createDocument({ Name, DocumentType, DocumentFormat: 'JSON', Content: JSON.stringify(Content) });
  }
  const loadBalancers = new ElasticLoadBalancing(settings());
  const listener = { InstanceProtocol: 'TCP' };
  await loadBalancers.createLoadBalancer({
    LoadBalancerName: 'web',
    Subnets: ['subnet-1'],
    Listeners: [
      { ...listener, Protocol: 'TCP', LoadBalancerPort: 80, InstancePort: 80 },
      { ...listener, Protocol: 'TCP', LoadBalancerPort: 443, InstancePort: 81 },
    ],
  });
  await loadBalancers.configureHealthCheck({
    LoadBalancerName: 'web',
    HealthCheck: { Target: 'HTTP:8078/healthz', Interval: 10, Timeout: 5, UnhealthyThreshold: 2, HealthyThreshold: 2 },
  });
  await loadBalancers.registerInstancesWithLoadBalancer({
    LoadBalancerName: 'web',
    Instances: [...world.instances.keys()].map((InstanceId) => ({ InstanceId })),
  });
});

afterEach(async () => {
  await ssm.close();
  await endpoint.close();
});

async function start(direction: string, given: Record<string, string> = {}): Promise<string> {
  const { AutomationExecutionId = '' } = await client.startAutomationExecution({
    DocumentName: 'Switch',
    Parameters: Object.fromEntries(
      Object.entries({
        LoadBalancerName: 'web',
        Direction: direction,
        FleetTagKey: 'fleet',
        FleetTagValue: 'web',
        ...given,
      }).map(([name, value]) => [name, [value]]),
    ),
  });
  return AutomationExecutionId;
}

async function ended(id: string) {
  for (;;) {
    const { AutomationExecution } = await client.getAutomationExecution({ AutomationExecutionId: id });
    if (AutomationExecution?.ExecutionEndTime !== undefined) return AutomationExecution;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const run = async (direction: string, given?: Record<string, string>) => ended(await start(direction, given));
const modes = () => receivers.map((each) => each.mode);

describe('the runbook', () => {
  test('enables, in the order that it was designed for', async () => {
    const execution = await run('enable');
    expect([execution.AutomationExecutionStatus, execution.FailureMessage]).toEqual(['Success', undefined]);
    expect(path).toEqual([
      'WaitForFleet',
      'AwaitFleet',
      'Begin',
      'IsLoadBalancerThere',
      'DescribeSubnets',
      'DoesHealthCheckFit',
      'DescribeNodes',
      'Plan',
      'SurveyReceivers',
      'Compare',
      'ChooseWay',
      'PrepareReceivers',
      'AcceptBoth',
      'ConfirmBoth',
      'SetPolicies',
      'MeasureLoop',
      'MeasureReceivers',
      'Judge',
      'Conclude',
      'SettleReceivers',
      'TakeFinalMode',
      'ConfirmFinal',
      'Finish',
      'EndSwitch',
    ]);
    expect(modes()).toEqual(['proxy', 'proxy']);
    expect(nodes.proxyPorts).toEqual([80, 81]);
    expect(unserved).toEqual([]);
    expect(execution.Outputs).toMatchObject({
      'Finish.mode': ['proxy'],
      'Finish.instancePorts': ['80=http 81=http'],
      'Finish.summary': [expect.stringContaining('PROXY protocol is on at instance ports 80=http 81=http of web')],
    });
  });

  test('a second time changes nothing and makes no write call', async () => {
    await run('enable');
    const calls = () =>
      endpoint.dispatcher.calls.filter(
        ({ service, action }) => service === 'elasticloadbalancing' && !action.startsWith('Describe'),
      ).length;
    const before = calls();
    path = [];
    const execution = await run('enable');
    expect(execution.AutomationExecutionStatus).toBe('Success');
    expect(path.slice(-3)).toEqual(['ChooseWay', 'FinishUnchanged', 'EndSwitch']);
    expect(calls()).toBe(before);
  });

  test('disables, and forgets', async () => {
    await run('enable');
    const execution = await run('disable');
    expect(execution.AutomationExecutionStatus).toBe('Success');
    expect(modes()).toEqual(['plain', 'plain']);
    expect(nodes.proxyPorts).toEqual([]);
    expect(unserved).toEqual([]);
    await expect(client.getParameter({ Name: '/proxyflip/web' })).rejects.toThrow();
  });

  test('a plan says what would be done, and does nothing', async () => {
    const execution = await run('enable', { PlanOnly: 'yes' });
    expect(execution.Outputs).toMatchObject({
      'Plan.policyChanges': [expect.stringContaining('create policy proxyflip-proxy-protocol; instance port 80')],
      'Compare.receivers': [expect.stringContaining('not installed')],
    });
    expect(modes()).toEqual(['none', 'none']);
    await expect(client.getParameter({ Name: '/proxyflip/web' })).rejects.toThrow();
  });

  test('a refusal is the execution’s failure, and nothing was changed', async () => {
    const execution = await run('enable', { LoadBalancerName: 'wbe' });
    expect(execution.AutomationExecutionStatus).toBe('Failed');
    expect(execution.FailureMessage).toContain('ERR_LOAD_BALANCER_NOT_FOUND');
    expect(execution.Outputs).toMatchObject({ 'Undo.summary': ['Nothing was changed by this execution.'] });
  });

  test('a health check that does not fit is refused behind a look at the way out, and nothing is held', async () => {
    await new ElasticLoadBalancing({
      endpoint: endpoint.url,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'x' },
    }).configureHealthCheck({
      LoadBalancerName: 'web',
      HealthCheck: { Target: 'HTTP:80/', Interval: 10, Timeout: 5, UnhealthyThreshold: 2, HealthyThreshold: 2 },
    });
    const execution = await run('enable');
    expect(execution.FailureMessage).toMatch(
      /ERR_HEALTH_CHECK: .*those of i-\S+, i-\S+ do not: run with FinalMode both/,
    );
    // It is let in there: that is not what is missing.
    expect(execution.FailureMessage).not.toContain('authorize-security-group-ingress');
    expect(path.slice(-7)).toEqual([
      'DoesHealthCheckFit',
      'DescribeInstances',
      'DescribeSecurityGroups',
      'AskHealth',
      'RefuseHealthCheck',
      'Undo',
      'IsThereAnythingToRestore',
    ]);
    await expect(client.getParameter({ Name: '/proxyflip/web' })).rejects.toThrow();
  });

  test('an instance that cannot accept both stops it before a policy is set, and the other goes back', async () => {
    const [, second] = receivers;
    if (second !== undefined) second.failing = 'SetMode';
    const execution = await run('enable', { MaxErrors: '100%' });
    expect(execution.AutomationExecutionStatus).toBe('Failed');
    expect(execution.FailureMessage).toMatch(/ERR_RECEIVER: 1 of 2 .*ERR_NO_TPROXY/s);
    expect(modes()).toEqual(['plain', 'none']);
    expect(nodes.proxyPorts).toEqual([]);
    expect(unserved).toEqual([]);
  });
});

test('a last step that fails comes to the way back, too', async () => {
  during = async (step) => {
    if (step === 'Finish') await client.deleteParameter({ Name: '/proxyflip/web' }).catch(() => {});
  };
  const execution = await run('enable');
  expect(execution.AutomationExecutionStatus).toBe('Failed');
  expect(execution.FailureMessage).toContain('ERR_STATE_LOST');
  expect(path.slice(-2)).toEqual(['Undo', 'IsThereAnythingToRestore']);
  expect(unserved).toEqual([]);
});

const callingSteps = runbook.mainSteps
  .flatMap((step) => [step, ...(step.inputs.Steps ?? [])])
  .filter((step) => !['aws:branch', 'aws:loop', 'aws:sleep'].includes(step.action))
  .map((step) => step.name)
  // Reached only where all is so already, where the load balancer is gone, or on the way back itself.
  .filter((name) => !['FinishUnchanged', 'ForgetLoadBalancer', 'Undo', 'RestoreReceivers', 'Undone'].includes(name))
  // And where the health check does not fit.
  .filter((name) => !['DescribeInstances', 'DescribeSecurityGroups', 'AskHealth', 'RefuseHealthCheck'].includes(name));

describe.each(['enable', 'disable'])('%s, cancelled in the middle of a step', (direction) => {
  test.each(callingSteps)('%s: everything serves, and the next run completes', async (stopAt) => {
    if (direction === 'disable') await run('enable');
    let wasHit = false;
    let id = '';
    let tellStarted = () => {};
    const isStarted = new Promise<void>((resolve) => {
      tellStarted = resolve;
    });
    during = async (step) => {
      if (step !== stopAt || wasHit) return;
      wasHit = true;
      await isStarted;
      await client.stopAutomationExecution({ AutomationExecutionId: id, Type: 'Cancel' });
      // The function goes on while the undo runs; a command is ended.
      await new Promise((resolve) => setTimeout(resolve, 30));
    };
    id = await start(direction);
    tellStarted();
    const execution = await ended(id);

    expect(wasHit).toBe(true);
    expect(execution.AutomationExecutionStatus).toBe('Cancelled');
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(receivers.filter((each) => each.mode !== 'none' && !each.serves)).toEqual([]);
    expect(unserved).toEqual([]);

    during = async () => {};
    const next = await run(direction);
    expect([next.AutomationExecutionStatus, next.FailureMessage]).toEqual(['Success', undefined]);
    expect(modes()).toEqual(direction === 'enable' ? ['proxy', 'proxy'] : ['plain', 'plain']);
    expect(nodes.proxyPorts).toEqual(direction === 'enable' ? [80, 81] : []);
    expect(unserved).toEqual([]);
  });
});
