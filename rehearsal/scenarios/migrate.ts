/**
 * `npm run rehearse -- migrate`: from the Classic Load Balancer to an Application Load Balancer, as docs/migrate.md says it, under traffic
 * from the first step to the last. WebSockets stay where they are until their clients come back by themselves.
 */
import { CreateSubnetCommand, DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DeleteLoadBalancerCommand } from '@aws-sdk/client-elastic-load-balancing';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  ModifyLoadBalancerAttributesCommand,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { RedisServers } from '../elasticache/redis-servers.ts';
import { CREDENTIALS, type Environment } from '../environment.ts';
import { type ChatFleet, HEALTH_PORT, LOAD_BALANCER, runReceiverDocument, startFleet } from '../fleet.ts';
import type { Required } from '../report/result.ts';
import type { Traffic } from '../traffic/traffic.ts';
import { ACCOUNT_ID, REGION } from '../world.ts';
import { judged, type Play, type Stage } from './judged.ts';
import type { ScenarioOptions } from './options.ts';
import { pause } from './pause.ts';
import { receiverMode } from './receiver-mode.ts';
import { createStack, deleteStack, stackParameters, updateStack, waitForStack } from './stack.ts';

const ALB = 'chat-alb';
/** Of its own: `AlbCidrs` and the Classic Load Balancer's subnets must not overlap. */
const ALB_CIDRS = ['10.0.111.0/24', '10.0.112.0/24'] as const;
/** How much of the traffic is led to the ALB, step by step. Unit: per cent. */
const SHARES = [10, 50, 100];
/** The application's port; the ALB answers with the redirect itself. */
const HTTPS_PORT = 81;
/** Of rooms that several instances share: who comes back may come to another one. */
const STORE = { address: '10.0.1.200', port: 6379 };
/** A minute and a half of the runbook is quiet spells of 30 s, as they ship. Unit: seconds. */
const QUIET_SECONDS = 6;
const LIMIT_MS = 120_000;
/** nginx is reloaded twice with clients of the Classic Load Balancer in front of it, when the stack is made and when it is updated. */
const RESENT_AT_MOST = 24;

export function migrate(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  const quick = { ...options, quietSeconds: options.quietSeconds ?? QUIET_SECONDS };
  return judged(quick, interrupted, (stage) => new Migration(stage), { fleet: startFleetWithStore });
}

async function startFleetWithStore(environment: Environment, machines: number): Promise<ChatFleet> {
  const { fabric, directory, options, cleanup } = environment;
  const stores = new RedisServers({ fabric, directory: directory.path, say: options.say });
  cleanup.use("the chat's store", stores);
  await stores.start({ name: 'chat', privateIpAddress: STORE.address, port: STORE.port, isEncrypted: false });
  const fleet = await startFleet(environment, machines);
  const useStore = `echo CHAT_REDIS_URL=redis://${STORE.address}:${STORE.port} >/etc/proxyflip/chat.env
    systemctl restart proxyflip-chat
    until curl --silent --fail --output /dev/null http://127.0.0.1:8000/healthz; do sleep 0.2; done`;
  await Promise.all(fleet.instances.map(({ machine }) => machine.exec(['bash', '-ec', useStore])));
  return fleet;
}

/** As `Measure` counts them, of all instances together. */
interface Open {
  readonly classic: number;
  readonly alb: number;
}

class Migration implements Play {
  readonly title = `${LOAD_BALANCER}: from the Classic Load Balancer to an Application Load Balancer`;
  readonly required: Partial<Required>;
  readonly #stage: Stage;
  readonly #ec2: EC2Client;
  readonly #elbv2: ElasticLoadBalancingV2Client;
  readonly #steps: string[] = [];
  readonly #wrong: string[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
    this.required = { newConnections: 1_000, webSockets: stage.options.webSockets, resentAtMost: RESENT_AT_MOST };
    const configuration = { region: REGION, endpoint: stage.environment.endpoint.url, credentials: CREDENTIALS };
    this.#ec2 = new EC2Client(configuration);
    this.#elbv2 = new ElasticLoadBalancingV2Client(configuration);
  }

  async play(traffic: Traffic): Promise<string> {
    const { environment, fleet, options, interrupted } = this.#stage;
    const parameters = stackParameters(fleet, options);
    await createStack(environment, parameters);
    await this.#awaitStack('CREATE_COMPLETE');

    const subnetIds = await this.#createSubnets();
    await updateStack(environment, { ...parameters, AlbCidrs: ALB_CIDRS.join(' ') });
    await this.#awaitStack('UPDATE_COMPLETE');
    const alb = await this.#createLoadBalancer(subnetIds);
    for (const share of SHARES) {
      await this.#lead(traffic, alb, share);
      await pause(options.seconds * 1000, interrupted);
      this.#note(`${share} % by the ALB`, await this.#open());
    }

    await traffic.reconnect(options.seconds * 1000);
    await this.#awaitLastClassicConnection();
    await deleteStack(environment);
    const status = await this.#awaitStack('DELETE_COMPLETE');
    await environment.clients.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerName: LOAD_BALANCER }));
    this.#note(
      `${LOAD_BALANCER} is deleted; receivers in ${[...new Set(fleet.instances.map(receiverMode))].join(', ')}`,
    );
    return status;
  }

  details() {
    return { steps: this.#steps };
  }

  lines(): readonly string[] {
    return this.#steps;
  }

  shortfalls(): readonly string[] {
    return this.#wrong;
  }

  async #awaitStack(wanted: string): Promise<string> {
    const status = await waitForStack(this.#stage.environment, this.#stage.interrupted);
    if (status !== wanted) throw new Error(`the stack is in ${status} and not in ${wanted}`);
    this.#note(
      `stack ${status}; receivers in ${[...new Set(this.#stage.fleet.instances.map(receiverMode))].join(', ')}`,
    );
    return status;
  }

  async #createSubnets(): Promise<string[]> {
    const { Subnets = [] } = await this.#ec2.send(new DescribeSubnetsCommand({}));
    const made = [];
    for (const [index, CidrBlock] of ALB_CIDRS.entries()) {
      const { Subnet } = await this.#ec2.send(
        new CreateSubnetCommand({
          VpcId: Subnets[0]?.VpcId,
          CidrBlock,
          AvailabilityZone: Subnets[index]?.AvailabilityZone,
        }),
      );
      made.push(Subnet?.SubnetId ?? '');
    }
    return made;
  }

  /** @returns the addresses that its name resolves to, once every instance is healthy */
  async #createLoadBalancer(subnetIds: string[]): Promise<readonly string[]> {
    const { LoadBalancers } = await this.#elbv2.send(new CreateLoadBalancerCommand({ Name: ALB, Subnets: subnetIds }));
    const [{ LoadBalancerArn = '', VpcId } = {}] = LoadBalancers ?? [];
    await this.#elbv2.send(
      new ModifyLoadBalancerAttributesCommand({
        LoadBalancerArn,
        Attributes: [{ Key: 'idle_timeout.timeout_seconds', Value: '120' }],
      }),
    );
    const { TargetGroups } = await this.#elbv2.send(
      new CreateTargetGroupCommand({
        Name: ALB,
        Protocol: 'HTTP',
        Port: HTTPS_PORT,
        VpcId,
        HealthCheckPort: String(HEALTH_PORT),
        HealthCheckPath: '/healthz',
        HealthCheckIntervalSeconds: 5,
        HealthCheckTimeoutSeconds: 2,
        HealthyThresholdCount: 2,
        UnhealthyThresholdCount: 2,
      }),
    );
    const TargetGroupArn = TargetGroups?.[0]?.TargetGroupArn ?? '';
    const Targets = this.#stage.fleet.instances.map(({ instanceId }) => ({ Id: instanceId }));
    await this.#elbv2.send(new RegisterTargetsCommand({ TargetGroupArn, Targets }));
    await this.#elbv2.send(
      new CreateListenerCommand({
        LoadBalancerArn,
        Protocol: 'HTTPS',
        Port: 443,
        Certificates: [{ CertificateArn: `arn:aws:acm:${REGION}:${ACCOUNT_ID}:certificate/chat` }],
        DefaultActions: [{ Type: 'forward', TargetGroupArn }],
      }),
    );
    await this.#elbv2.send(
      new CreateListenerCommand({
        LoadBalancerArn,
        Protocol: 'HTTP',
        Port: 80,
        DefaultActions: [
          { Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } },
        ],
      }),
    );
    await this.#until('every instance is healthy behind the ALB', async () => {
      const { TargetHealthDescriptions = [] } = await this.#elbv2.send(
        new DescribeTargetHealthCommand({ TargetGroupArn }),
      );
      return TargetHealthDescriptions.every(({ TargetHealth }) => TargetHealth?.State === 'healthy');
    });
    return this.#stage.environment.albDataPlane.addresses(LoadBalancerArn);
  }

  async #lead(traffic: Traffic, alb: readonly string[], share: number): Promise<void> {
    const classic = this.#stage.environment.dataPlane.addresses(LOAD_BALANCER);
    await traffic.phase(`proxy, ${share} % by the ALB`, ['proxy']);
    await traffic.entries([
      { kind: 'classic', addresses: classic, weight: 100 - share },
      { kind: 'alb', addresses: alb, weight: share },
    ]);
  }

  async #awaitLastClassicConnection(): Promise<void> {
    let open: Open | undefined;
    await this.#until('the last connection by the Classic Load Balancer is gone', async () => {
      open = await this.#open();
      return open.classic === 0;
    });
    this.#note('clients have come back', open);
  }

  /** Of all instances together, by `Measure`, as the page has it. */
  async #open(): Promise<Open> {
    const invocations = await runReceiverDocument(this.#stage.environment, { Operation: 'Measure' });
    const each = invocations.map(
      ({ CommandPlugins }) => JSON.parse(CommandPlugins?.[0]?.Output?.trim().split('\n').at(-1) ?? '').open as Open,
    );
    return each.reduce((sum, { classic, alb }) => ({ classic: sum.classic + classic, alb: sum.alb + alb }));
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const limit = Date.now() + LIMIT_MS;
    while (!(await isSo())) {
      if (Date.now() > limit) throw new Error(`after ${LIMIT_MS / 1000} s it is not so that ${what}`);
      await pause(500, this.#stage.interrupted);
    }
  }

  #note(what: string, open?: Open): void {
    this.#steps.push(
      open === undefined
        ? what
        : `${what}: ${open.classic} connections open by the Classic ELB, ${open.alb} by the ALB`,
    );
  }
}
