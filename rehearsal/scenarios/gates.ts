/**
 * `npm run rehearse -- gates`: everything that the runbook refuses, met once each on a fleet under traffic. Behind each refusal
 * every instance and every load balancer has to be exactly what it was.
 */
import { once } from 'node:events';
import {
  AddTagsCommand,
  ConfigureHealthCheckCommand,
  CreateLoadBalancerListenersCommand,
  CreateLoadBalancerPolicyCommand,
  DeleteLoadBalancerCommand,
  DeleteLoadBalancerListenersCommand,
  DescribeInstanceHealthCommand,
  DescribeLoadBalancerPoliciesCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  RegisterInstancesWithLoadBalancerCommand,
  RemoveTagsCommand,
  SetLoadBalancerPoliciesForBackendServerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import {
  DeleteParameterCommand,
  GetParametersByPathCommand,
  PutParameterCommand,
  StopAutomationExecutionCommand,
} from '@aws-sdk/client-ssm';
import type { Environment } from '../environment.ts';
import { createLoadBalancer, type Fleet, HEALTH_PORT, LOAD_BALANCER } from '../fleet.ts';
import type { Required } from '../report/result.ts';
import type { Instance } from '../world.ts';
import { judged, type Play, type Stage } from './judged.ts';
import type { ScenarioOptions } from './options.ts';
import { type Direction, failureOf, runRunbook, startRunbook, waitForExecution } from './runbook.ts';
import { createStack, fleetParameters, stackParameters, waitForStack } from './stack.ts';

/** Shares the fleet's instances, and no client comes by it: what is wrong with a load balancer is tried here. */
const OTHER = `${LOAD_BALANCER}-other`;
const EMPTY = `${LOAD_BALANCER}-empty`;
/** Fed by a listener of OTHER, and nginx is not on it. */
const SPARE_PORT = 83;
/** No listener feeds it but those that a gate makes. */
const FREE_PORT = 84;

interface Gate {
  /** As people would say it. */
  readonly name: string;
  /** What the refusal has to contain. */
  readonly says: string;
  /** Of the runbook, beside the fleet's. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Builds the obstacle. @returns what takes it away */
  readonly build?: () => Promise<() => Promise<unknown>>;
  /** Not refused: said among the warnings of a plan. */
  readonly isWarning?: boolean;
  /** Default `enable`. */
  readonly direction?: Direction;
}

interface GateResult {
  readonly gate: string;
  readonly says: string;
  readonly said: string;
  readonly wrong: readonly string[];
}

export function gates(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  return judged(options, interrupted, (stage) => new Gates(stage));
}

class Gates implements Play {
  readonly title = `${LOAD_BALANCER}: everything that is refused`;
  readonly required: Partial<Required>;
  readonly #results: GateResult[] = [];
  readonly #environment: Environment;
  readonly #fleet: Fleet;
  readonly #options: ScenarioOptions;
  readonly #interrupted: AbortSignal;

  constructor({ environment, fleet, options, interrupted }: Stage) {
    this.required = { newConnections: 1_000, webSockets: options.webSockets };
    this.#environment = environment;
    this.#fleet = fleet;
    this.#options = options;
    this.#interrupted = interrupted;
  }

  async play(): Promise<string> {
    const parameters = { ...stackParameters(this.#fleet, this.#options), SwitchFromStack: 'No' };
    await createStack(this.#environment, parameters);
    const status = await waitForStack(this.#environment, this.#interrupted);
    if (status !== 'CREATE_COMPLETE') return status;
    await this.#addLoadBalancers();
    await this.#meetAll([...this.#atTheLoadBalancer(), ...this.#atSystemsManager(), ...this.#onTheInstance()]);
    // With every obstacle gone it goes through.
    await runRunbook(this.#environment, 'enable', this.#parameters(), this.#interrupted);
    await this.#removeNeighbour();
    await runRunbook(this.#environment, 'enable', fleetParameters(this.#fleet, this.#options), this.#interrupted);

    // And on the way back, where what is refused leaves the receivers strict and the policies on.
    await this.#meetAll(this.#onTheWayBack());
    await runRunbook(this.#environment, 'disable', fleetParameters(this.#fleet, this.#options), this.#interrupted);
    return status;
  }

  details() {
    return { gates: this.#results };
  }

  lines(): string[] {
    return this.#results.map(({ gate, says, wrong }) => `${wrong.length === 0 ? 'met' : 'WRONG'}  ${says}  ${gate}`);
  }

  async #meetAll(gates: readonly Gate[]): Promise<void> {
    for (const gate of gates) {
      this.#interrupted.throwIfAborted();
      this.#results.push(await this.#meet(gate));
    }
  }

  shortfalls(): string[] {
    return this.#results.flatMap(({ gate, wrong }) => wrong.map((each) => `${gate}: ${each}`));
  }

  async #meet({
    name,
    says,
    parameters = {},
    build,
    isWarning = false,
    direction = 'enable',
  }: Gate): Promise<GateResult> {
    const clear = await build?.();
    try {
      const before = await this.#picture();
      const executionId = await startRunbook(this.#environment, direction, {
        ...this.#parameters(),
        ...(isWarning ? { PlanOnly: 'yes' } : {}),
        ...parameters,
      });
      const execution = await waitForExecution(this.#environment, executionId, this.#interrupted);
      const said = isWarning ? String(execution.Outputs?.['Begin.warnings']?.[0]) : failureOf(execution);
      const ended = execution.AutomationExecutionStatus;
      const wanted = isWarning ? 'Success' : 'Failed';
      const after = await this.#picture();
      const wrong = [
        ...(ended === wanted ? [] : [`the execution ended in ${ended} instead of ${wanted}: ${said}`]),
        ...(said.includes(says) ? [] : [`it did not say ${says} but: ${said}`]),
        ...Object.keys(before)
          .filter((what) => before[what] !== after[what])
          .map((what) => `${what} changed${firstDifference(before[what] ?? '', after[what] ?? '')}`),
      ];
      return { gate: direction === 'enable' ? name : `${name}, on the way back`, says, said, wrong };
    } finally {
      await clear?.();
    }
  }

  #atTheLoadBalancer(): Gate[] {
    const { elb } = this.#environment.clients;
    const other = { LoadBalancerName: OTHER };
    const strict = { ...other, FinalMode: 'proxy' };
    return [
      {
        name: 'unknown load balancer',
        says: 'ERR_LOAD_BALANCER_NOT_FOUND',
        parameters: { LoadBalancerName: 'nobody' },
      },
      { name: 'no registered instance', says: 'ERR_NO_INSTANCES', parameters: { LoadBalancerName: EMPTY } },
      {
        name: 'no instance port is left',
        says: 'ERR_NO_INSTANCE_PORTS',
        parameters: { ...other, ExcludePorts: `80, 81, ${SPARE_PORT}` },
      },
      {
        name: 'a port that nothing feeds',
        says: 'ERR_INSTANCE_PORT_NOT_FOUND',
        parameters: { IncludePorts: '80, 99' },
      },
      { name: 'a port that is none', says: 'ERR_INVALID_PORT_LIST', parameters: { IncludePorts: '70000' } },
      ...(
        [
          ['SSL', 'TCP', 'SSL'],
          ['HTTP', 'HTTP', 'HTTP'],
          ['HTTPS', 'HTTP', 'HTTPS'],
        ] as const
      ).map(
        ([instanceProtocol, protocol, said]): Gate => ({
          name: `instance protocol ${instanceProtocol}${instanceProtocol === 'HTTP' ? ', beside a TCP listener on the same port' : ''}`,
          says: `speaks ${said} to instance port`,
          parameters: {
            ...other,
            ...(instanceProtocol === 'HTTPS' ? { IncludePorts: String(FREE_PORT) } : {}),
          },
          build: () =>
            this.#listen({
              Protocol: protocol,
              InstanceProtocol: instanceProtocol,
              InstancePort: instanceProtocol === 'HTTP' ? 80 : FREE_PORT,
            }),
        }),
      ),
      {
        name: 'a health check that a strict receiver would fail, and a plain health port that nobody lets the load balancer reach',
        says: `--protocol tcp --port ${HEALTH_PORT}`,
        parameters: { ...strict, IncludePorts: String(SPARE_PORT) },
        build: () => this.#checkOnInstancePort(SPARE_PORT),
      },
      {
        name: 'a health check that a strict receiver would fail, and a plain health port that is seen to answer',
        says: `seen on all ${this.#fleet.instances.length} instances`,
        parameters: { ...strict, IncludePorts: String(SPARE_PORT) },
        build: () => this.#checkOnInstancePort(HEALTH_PORT),
      },
      { name: 'two load balancers share an instance', says: 'ERR_INSTANCE_SHARED', parameters: strict },
      {
        name: 'another controller’s load balancer',
        says: 'ERR_OTHER_CONTROLLER',
        parameters: other,
        build: async () => {
          const tag = { Key: 'kubernetes.io/cluster/prod', Value: 'owned' };
          await elb.send(new AddTagsCommand({ LoadBalancerNames: [OTHER], Tags: [tag] }));
          return () => elb.send(new RemoveTagsCommand({ LoadBalancerNames: [OTHER], Tags: [{ Key: tag.Key }] }));
        },
      },
      {
        name: 'a foreign policy',
        says: 'ERR_FOREIGN_POLICY',
        parameters: { ...other, ForeignPolicy: 'Refuse' },
        build: async () => {
          const set = (PolicyNames: string[]) =>
            elb.send(new SetLoadBalancerPoliciesForBackendServerCommand({ ...other, InstancePort: 80, PolicyNames }));
          await elb.send(
            new CreateLoadBalancerPolicyCommand({
              ...other,
              PolicyName: 'by-terraform',
              PolicyTypeName: 'ProxyProtocolPolicyType',
              PolicyAttributes: [{ AttributeName: 'ProxyProtocol', AttributeValue: 'true' }],
            }),
          );
          await set(['by-terraform']);
          return () => set([]);
        },
      },
    ];
  }

  #atSystemsManager(): Gate[] {
    const { ssm } = this.#environment.clients;
    const { instances } = this.#environment.world;
    const instance = this.#instance();
    const changed = (change: Partial<Instance>) => async () => {
      instances.set(instance.instanceId, { ...instance, ...change });
      return async () => instances.set(instance.instanceId, instance);
    };
    const Name = `/proxyflip/${LOAD_BALANCER}`;
    return [
      { name: 'an instance without the tag', says: 'ERR_INSTANCE_UNTAGGED', build: changed({ tags: {} }) },
      {
        name: 'an instance that is not managed',
        says: 'ERR_INSTANCE_UNMANAGED',
        build: changed({ isManaged: false }),
      },
      this.#offline('enable'),
      {
        name: 'a tagged instance that is not registered',
        says: 'has the tag and is not registered',
        isWarning: true,
        parameters: { LoadBalancerName: EMPTY, EmptyFleet: 'Allow' },
      },
      {
        name: 'another owner',
        says: 'ERR_OTHER_OWNER',
        parameters: { Owner: 'stack/mine' },
        build: async () => {
          const Value = JSON.stringify({
            version: 1,
            owner: 'stack/theirs',
            executionId: '00000000-0000-0000-0000-000000000000',
            startedBy: 'stack/theirs',
            direction: 'enable',
            phase: 'done',
            mode: 'plain',
            startedAt: new Date().toISOString(),
            instancePorts: '',
            bothPorts: '',
            policyName: '',
            before: {},
          });
          await ssm.send(new PutParameterCommand({ Name, Value, Type: 'String' }));
          return () => ssm.send(new DeleteParameterCommand({ Name }));
        },
      },
      { name: 'another run at work', says: 'ERR_SWITCH_BUSY', build: () => this.#holdAnotherRun('enable') },
    ];
  }

  #offline(direction: Direction): Gate {
    const instance = this.#instance();
    return {
      name: 'an instance that is offline',
      says: 'ERR_INSTANCE_OFFLINE',
      direction,
      build: async () => {
        instance.agentOnline = false;
        return async () => {
          instance.agentOnline = true;
        };
      },
    };
  }

  #onTheWayBack(): Gate[] {
    const direction = 'disable';
    return [
      this.#offline(direction),
      {
        name: 'another run at work',
        says: 'ERR_SWITCH_BUSY',
        direction,
        build: () => this.#holdAnotherRun(direction),
      },
      { name: 'a port that is none', says: 'ERR_INVALID_PORT_LIST', direction, parameters: { ExcludePorts: '70000' } },
      ...this.#onTheInstance()
        .filter(({ name }) => name === 'worker_shutdown_timeout' || name.startsWith('an agent'))
        .map((gate) => ({ ...gate, direction }) as const),
    ];
  }

  /**
   * OTHER checks an instance port. The instances get a security group that lets in one port: it is described, and not put into force, as
   * the fleet under it is in use.
   */
  async #checkOnInstancePort(letIn: number): Promise<() => Promise<unknown>> {
    const { elb } = this.#environment.clients;
    const { instances, securityGroups, subnets } = this.#environment.world;
    const check = (Target: string) =>
      elb.send(
        new ConfigureHealthCheckCommand({
          LoadBalancerName: OTHER,
          HealthCheck: { Target, Interval: 30, Timeout: 2, UnhealthyThreshold: 2, HealthyThreshold: 2 },
        }),
      );
    await check(`HTTP:${SPARE_PORT}/`);
    const groupId = 'sg-0123456789abcdef0';
    const [subnet] = subnets.values();
    securityGroups.set(groupId, {
      groupId,
      groupName: 'chat',
      description: '',
      vpcId: subnet?.vpcId ?? '',
      tags: {},
      ingress: [{ protocol: 'tcp', ports: [letIn, letIn], peer: { cidr: '10.0.0.0/16' }, description: undefined }],
      egress: [],
    });
    const before = [...instances.values()];
    for (const instance of before) {
      const launch = {
        subnetId: subnet?.subnetId ?? '',
        securityGroupIds: [groupId],
        imageId: 'ami-0123456789abcdef0',
        instanceType: 't3.small',
        iamInstanceProfileArn: undefined,
        launchedAt: new Date(),
      };
      instances.set(instance.instanceId, { ...instance, launch });
    }
    return async () => {
      for (const instance of before) instances.set(instance.instanceId, instance);
      securityGroups.delete(groupId);
      await check(`HTTP:${HEALTH_PORT}/healthz`);
    };
  }

  /** A listener more at OTHER. @returns what takes it away */
  async #listen(
    listener: Readonly<Record<'Protocol' | 'InstanceProtocol', string> & { InstancePort: number }>,
  ): Promise<() => Promise<unknown>> {
    const { elb } = this.#environment.clients;
    const LoadBalancerPort = 8084;
    await elb.send(
      new CreateLoadBalancerListenersCommand({
        LoadBalancerName: OTHER,
        Listeners: [{ ...listener, LoadBalancerPort }],
      }),
    );
    return () =>
      elb.send(
        new DeleteLoadBalancerListenersCommand({ LoadBalancerName: OTHER, LoadBalancerPorts: [LoadBalancerPort] }),
      );
  }

  #onTheInstance(): Gate[] {
    const instance = this.#instance();
    const { instanceId, machine } = instance;
    const shell = async (script: string): Promise<void> => {
      const { exitCode, stderr } = await machine.exec(['sh', '-c', script]);
      if (exitCode !== 0) throw new Error(`machine ${machine.name}: ${script}: ${stderr}`);
    };
    const file =
      (path: string, content: string, mode = '644') =>
      async () => {
        await shell(`printf '%s\\n' '${content}' >${path} && chmod ${mode} ${path}`);
        return () => shell(`rm ${path}`);
      };
    const nobodysArtifact = {
      ChatArtifactUrl: `http://10.0.0.2/nobody/chat.tar.gz`,
      ChatArtifactSha256: '0'.repeat(64),
    };
    return [
      {
        name: 'an nginx server of somebody else on an instance port',
        says: '/etc/nginx/conf.d/other.conf:1: a server with',
        build: file('/etc/nginx/conf.d/other.conf', 'server { listen 80; server_name other.example; }'),
      },
      {
        name: 'an nginx server that cannot be taken over',
        says: 'ERR_EXISTING_SERVER',
        parameters: { ExistingServers: 'TakeOver' },
        build: file('/etc/nginx/conf.d/other.conf', 'server { server_name other.example; }'),
      },
      {
        name: 'worker_shutdown_timeout',
        says: 'ERR_WORKER_SHUTDOWN_TIMEOUT',
        build: file('/etc/nginx/modules-enabled/99-gate.conf', 'worker_shutdown_timeout 10s;'),
      },
      {
        // The kernel is the host's: an nft that answers as one does on a kernel without the module stands in.
        name: 'no tproxy module',
        says: 'ERR_NO_TPROXY',
        build: file(
          '/usr/local/sbin/nft',
          '#!/bin/sh\ncase " $* " in *" -c "*) echo "Error: Could not process rule: No such file or directory" >&2; exit 1 ;; esac\nexec /usr/sbin/nft "$@"',
          '755',
        ),
      },
      {
        name: 'the port owned by something else than nginx',
        says: 'ERR_PORT_TAKEN',
        parameters: { LoadBalancerName: OTHER },
        build: async () => {
          await shell(
            `systemd-run --quiet --unit=gate-port socat TCP-LISTEN:${SPARE_PORT},fork,reuseaddr /dev/null && sleep 0.5`,
          );
          return () => shell('systemctl stop gate-port');
        },
      },
      {
        // Debian has no SELinux: programs that answer as those of an enforcing host stand in.
        name: 'SELinux enforcing without what it needs',
        says: 'ERR_SELINUX',
        build: async () => {
          await shell(
            `cd /usr/local/sbin && printf '#!/bin/sh\necho Enforcing\n' >getenforce && printf '#!/bin/sh\n' >semodule && chmod 755 getenforce semodule`,
          );
          return () => shell('rm /usr/local/sbin/getenforce /usr/local/sbin/semodule');
        },
      },
      {
        // The image has what is needed: one of the packages is made to be missing, and the way to the others to end nowhere.
        name: 'packages out of reach',
        says: 'ERR_PACKAGES',
        build: async () => {
          await shell(
            `cp /var/lib/dpkg/status /tmp/status && awk -v RS= -v ORS='\\n\\n' '!/^Package: socat\\n/' /tmp/status >/var/lib/dpkg/status && mv /usr/bin/socat /usr/bin/socat.away && echo 'Acquire::http::Proxy "http://127.0.0.1:9";' >/etc/apt/apt.conf.d/99-away`,
          );
          return () =>
            shell(
              'mv /tmp/status /var/lib/dpkg/status; mv /usr/bin/socat.away /usr/bin/socat; rm /etc/apt/apt.conf.d/99-away',
            );
        },
      },
      { name: 'the artifact out of reach', says: 'ERR_CHAT_ARTIFACT', parameters: nobodysArtifact },
      {
        name: 'an agent that is too old',
        says: 'ERR_AGENT_TOO_OLD',
        build: async () => {
          this.#environment.agentVersions.set(instanceId, '3.2.2303.0');
          return async () => this.#environment.agentVersions.delete(instanceId);
        },
      },
    ];
  }

  #instance(): Instance {
    const instance = this.#fleet.instances.at(-1);
    if (instance === undefined) throw new Error('the fleet has no instance');
    return instance;
  }

  /** A run that has taken the lock and then waits, for as long as EC2 does not answer. */
  async #holdAnotherRun(direction: Direction): Promise<() => Promise<unknown>> {
    const release = new AbortController();
    const begun = new AbortController();
    const stop = this.#environment.endpoint.intercept({
      before: async ({ action }) => {
        if (action !== 'DescribeNetworkInterfaces') return undefined;
        begun.abort();
        if (!release.signal.aborted) await once(release.signal, 'abort');
        return undefined;
      },
    });
    const executionId = await startRunbook(this.#environment, direction, this.#parameters());
    if (!begun.signal.aborted) await once(begun.signal, 'abort', { signal: AbortSignal.timeout(60_000) });
    return async () => {
      stop();
      await this.#environment.clients.ssm.send(
        new StopAutomationExecutionCommand({ AutomationExecutionId: executionId, Type: 'Cancel' }),
      );
      release.abort();
      await waitForExecution(this.#environment, executionId, this.#interrupted);
    };
  }

  /** With `both` in the end a neighbour's plain connections are no gate, which else would stand in every message. */
  #parameters(): Readonly<Record<string, string>> {
    return { ...fleetParameters(this.#fleet, this.#options), FinalMode: 'both' };
  }

  async #addLoadBalancers(): Promise<void> {
    const { elb } = this.#environment.clients;
    await createLoadBalancer(this.#environment, OTHER);
    await createLoadBalancer(this.#environment, EMPTY);
    const listener = { Protocol: 'TCP', InstanceProtocol: 'TCP', LoadBalancerPort: 8083, InstancePort: SPARE_PORT };
    await elb.send(new CreateLoadBalancerListenersCommand({ LoadBalancerName: OTHER, Listeners: [listener] }));
    await elb.send(
      new RegisterInstancesWithLoadBalancerCommand({
        LoadBalancerName: OTHER,
        Instances: this.#fleet.instances.map(({ instanceId }) => ({ InstanceId: instanceId })),
      }),
    );
  }

  async #removeNeighbour(): Promise<void> {
    await this.#environment.clients.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerName: OTHER }));
  }

  /** All that a run could have changed, by what it is. */
  async #picture(): Promise<Record<string, string>> {
    const { elb, ssm } = this.#environment.clients;
    const picture: Record<string, string> = {};
    for (const { machine } of this.#fleet.instances) {
      const { stdout } = await machine.exec(['sh', '-c', PICTURE]);
      for (const part of stdout.split('== ').slice(1)) {
        const end = part.indexOf('\n');
        picture[`${machine.name} ${part.slice(0, end)}`] = part.slice(end + 1);
      }
    }
    const { LoadBalancerDescriptions = [] } = await elb.send(new DescribeLoadBalancersCommand({}));
    picture.DescribeLoadBalancers = JSON.stringify(LoadBalancerDescriptions, null, 1);
    for (const { LoadBalancerName = '' } of LoadBalancerDescriptions) {
      const answers = [
        await elb.send(new DescribeLoadBalancerPoliciesCommand({ LoadBalancerName })),
        await elb.send(new DescribeTagsCommand({ LoadBalancerNames: [LoadBalancerName] })),
        // The others' instances may be on their way into service, for which no run is to blame.
        ...(LoadBalancerName === LOAD_BALANCER
          ? [await elb.send(new DescribeInstanceHealthCommand({ LoadBalancerName }))]
          : []),
      ];
      picture[`what is described of ${LoadBalancerName}`] = answers
        .map(({ $metadata: _, ...answer }) => JSON.stringify(answer, null, 1))
        .join('\n');
    }
    const { Parameters = [] } = await ssm.send(new GetParametersByPathCommand({ Path: '/proxyflip', Recursive: true }));
    picture['the state parameter'] = JSON.stringify(
      // Their versions count what took the lock and gave it back.
      Parameters.map(({ Name, Value }) => [Name, Value]),
      null,
      1,
    );
    return picture;
  }
}

/** What counts connections is no setting. */
const PICTURE = `
echo '== files'; find /etc/nginx /etc/systemd -type f -exec sha256sum {} + | sort -k 2
echo '== ruleset'; nft -j list ruleset
echo '== sysctls'; sysctl -a 2>/dev/null | grep '^net\\.' | grep -v conntrack_count
`;

function firstDifference(before: string, after: string): string {
  const [was, is] = [before, after].map((text) => text.split('\n'));
  const at = (was ?? []).findIndex((line, index) => line !== is?.[index]);
  return at < 0 ? '' : `: ${was?.[at]?.slice(0, 200)} → ${is?.[at]?.slice(0, 200)}`;
}
