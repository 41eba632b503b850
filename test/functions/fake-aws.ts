/**
 * The AWS that the functions see, in memory: enough of Classic ELB and Systems Manager for whole runs, every call recorded.
 * Errors carry the SDK's class names, as the real clients' do.
 */
import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { ElasticLoadBalancingClient } from '@aws-sdk/client-elastic-load-balancing';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { Clock } from '../../functions/shared/clock.ts';

export interface FakeListener {
  readonly LoadBalancerPort: number;
  readonly Protocol: string;
  readonly InstancePort: number;
  readonly InstanceProtocol: string;
}

export interface FakePolicy {
  readonly PolicyName: string;
  readonly PolicyTypeName: string;
  readonly PolicyAttributeDescriptions: readonly { readonly AttributeName: string; readonly AttributeValue: string }[];
}

export interface FakeLoadBalancer {
  listeners: FakeListener[];
  instanceIds: string[];
  healthCheckTarget: string;
  tags: Record<string, string>;
  policies: FakePolicy[];
  /** Instance port → policy names. */
  backend: Record<number, string[]>;
}

export interface FakeInvocation {
  readonly status: string;
  /** `StatusDetails`; without: as the status. */
  readonly details?: string;
  readonly output: string;
}

export interface FakeExecution {
  status: string;
  startedAt?: Date;
  outputs?: Record<string, string[]>;
  steps?: { StepName: string; StepStatus: string; FailureMessage?: string; IsCritical?: boolean }[];
  parameters?: Record<string, string[]>;
  currentStep?: string;
}

export class FakeError extends Error {
  constructor(name: string) {
    super(`fake ${name}`);
    this.name = name;
  }
}

const WRITES = ['CreateLoadBalancerPolicy', 'DeleteLoadBalancerPolicy', 'SetLoadBalancerPoliciesForBackendServer'];

export const proxyPolicy = (name: string, value = 'true'): FakePolicy => ({
  PolicyName: name,
  PolicyTypeName: 'ProxyProtocolPolicyType',
  PolicyAttributeDescriptions: [{ AttributeName: 'ProxyProtocol', AttributeValue: value }],
});

export const otherPolicy = (name: string): FakePolicy => ({
  PolicyName: name,
  PolicyTypeName: 'BackendServerAuthenticationPolicyType',
  PolicyAttributeDescriptions: [],
});

export const tcp = (loadBalancerPort: number, instancePort: number): FakeListener => ({
  LoadBalancerPort: loadBalancerPort,
  Protocol: 'TCP',
  InstancePort: instancePort,
  InstanceProtocol: 'TCP',
});

export const listener = (
  Protocol: string,
  LoadBalancerPort: number,
  InstanceProtocol: string,
  InstancePort: number,
): FakeListener => ({
  Protocol,
  LoadBalancerPort,
  InstanceProtocol,
  InstancePort,
});

export class FakeAws {
  readonly loadBalancers = new Map<string, FakeLoadBalancer>();
  readonly parameters = new Map<string, string[]>();
  readonly executions = new Map<string, FakeExecution>();
  /** Instance id → what Systems Manager knows; `tagged` by `fleet=web`. */
  readonly managed = new Map<string, { readonly pingStatus: string; readonly tagged: boolean }>();
  /** Auto Scaling group → its instances, and the transitions that it has hooks for. */
  readonly scalingGroups = new Map<
    string,
    { readonly instanceIds: readonly string[]; readonly hooks: readonly string[] }
  >();
  /** Command id → instance id → its answer. */
  readonly commands = new Map<string, Map<string, FakeInvocation>>();
  readonly calls: { readonly action: string; readonly input: Record<string, unknown> }[] = [];
  readonly invoked: {
    readonly FunctionName?: string;
    readonly InvocationType?: string;
    readonly Payload?: Uint8Array;
  }[] = [];
  /** What an instance says to a command that is sent to it by its id. */
  answersTo: ((instanceId: string) => object) | undefined;
  /** Instance id → what the load balancer says of it; without: in service. */
  readonly health = new Map<string, { readonly State: string; readonly Description?: string }>();
  /** As PutEvents took them. */
  readonly events: { readonly detailType: string; readonly detail: Record<string, unknown> }[] = [];
  /** Throws before or after the n-th call of an action has acted: `{ action: 'PutParameter', when: 'after' }`. */
  fault: ((action: string, when: 'before' | 'after') => void) | undefined;
  /** Waited for before a call acts: to let something else happen in between. */
  meanwhile: ((action: string) => Promise<void>) | undefined;
  onSleep: ((ms: number) => void) | undefined;
  /** How many a page of a list holds, and the token of the last one: some answers leave it out, others have it empty. */
  pages: { readonly size: number; readonly last: '' | undefined } = { size: Number.POSITIVE_INFINITY, last: undefined };
  now = Date.parse('2026-11-21T00:00:00Z');
  started = 0;

  readonly clock: Clock = {
    now: () => this.now,
    sleep: async (ms) => {
      this.now += ms;
      this.onSleep?.(ms);
    },
  };
  readonly autoScaling = this.#client() as unknown as AutoScalingClient;
  readonly elb = this.#client() as unknown as ElasticLoadBalancingClient;
  readonly ssm = this.#client() as unknown as SSMClient;
  readonly lambda = this.#client() as unknown as LambdaClient;
  readonly eventBridge = this.#client() as unknown as EventBridgeClient;

  get writes(): string[] {
    return this.calls.filter(({ action }) => WRITES.includes(action)).map(({ action }) => action);
  }

  addLoadBalancer(name: string, given: Partial<FakeLoadBalancer> = {}): FakeLoadBalancer {
    const loadBalancer: FakeLoadBalancer = {
      listeners: [tcp(80, 80), listener('SSL', 443, 'TCP', 81)],
      instanceIds: [],
      healthCheckTarget: 'HTTP:8078/healthz',
      tags: {},
      policies: [],
      backend: {},
      ...given,
    };
    this.loadBalancers.set(name, loadBalancer);
    return loadBalancer;
  }

  addInstance(instanceId: string, given: { readonly pingStatus?: string; readonly tagged?: boolean } = {}): string {
    this.managed.set(instanceId, { pingStatus: 'Online', tagged: true, ...given });
    return instanceId;
  }

  /** As the fleet would answer one command. */
  answer(commandId: string, answers: Readonly<Record<string, object | FakeInvocation>>): string {
    this.commands.set(
      commandId,
      new Map(
        Object.entries(answers).map(([id, each]) => [
          id,
          'status' in each && 'output' in each
            ? (each as FakeInvocation)
            : { status: 'Success', output: `some words\n${JSON.stringify(each)}\n` },
        ]),
      ),
    );
    return commandId;
  }

  parameter(name: string): unknown {
    const versions = this.parameters.get(name);
    return versions === undefined ? undefined : JSON.parse(versions.at(-1) ?? '');
  }

  #client(): { send(command: { input: Record<string, unknown> }): Promise<unknown> } {
    return {
      send: async (command) => {
        const action = command.constructor.name.replace(/Command$/, '');
        this.calls.push({ action, input: command.input });
        await this.meanwhile?.(action);
        this.fault?.(action, 'before');
        const answer = this.#act(action, command.input);
        this.fault?.(action, 'after');
        return answer;
      },
    };
  }

  #act(action: string, input: Record<string, unknown>): unknown {
    switch (action) {
      case 'DescribeLoadBalancers': {
        const { items, next } = this.#page(
          (input.LoadBalancerNames as string[] | undefined) ?? [...this.loadBalancers.keys()],
          input.Marker,
        );
        return { LoadBalancerDescriptions: items.map((name) => this.#describeLoadBalancer(name)), NextMarker: next };
      }
      case 'DescribeLoadBalancerPolicies':
        return { PolicyDescriptions: this.#loadBalancer(input.LoadBalancerName).policies };
      case 'DescribeTags': {
        const tagsOf = (name: string) =>
          Object.entries(this.#loadBalancer(name).tags).map(([Key, Value]) => ({ Key, Value }));
        return {
          TagDescriptions: (input.LoadBalancerNames as string[]).map((name) => ({
            LoadBalancerName: name,
            Tags: tagsOf(name),
          })),
        };
      }
      case 'CreateLoadBalancerPolicy': {
        const loadBalancer = this.#loadBalancer(input.LoadBalancerName);
        if (loadBalancer.policies.some((each) => each.PolicyName === input.PolicyName))
          throw new FakeError('DuplicatePolicyNameException');
        loadBalancer.policies.push({
          PolicyName: String(input.PolicyName),
          PolicyTypeName: String(input.PolicyTypeName),
          PolicyAttributeDescriptions: input.PolicyAttributes as FakePolicy['PolicyAttributeDescriptions'],
        });
        return {};
      }
      case 'DeleteLoadBalancerPolicy': {
        const loadBalancer = this.#loadBalancer(input.LoadBalancerName);
        if (Object.values(loadBalancer.backend).some((names) => names.includes(String(input.PolicyName)))) {
          throw new FakeError('InvalidConfigurationRequestException');
        }
        loadBalancer.policies = loadBalancer.policies.filter((each) => each.PolicyName !== input.PolicyName);
        return {};
      }
      case 'SetLoadBalancerPoliciesForBackendServer': {
        const loadBalancer = this.#loadBalancer(input.LoadBalancerName);
        const names = input.PolicyNames as string[];
        if (names.some((name) => !loadBalancer.policies.some((each) => each.PolicyName === name)))
          throw new FakeError('PolicyNotFoundException');
        if (names.length === 0) delete loadBalancer.backend[Number(input.InstancePort)];
        else loadBalancer.backend[Number(input.InstancePort)] = [...names];
        return {};
      }
      case 'GetParameter':
        return this.#getParameter(String(input.Name));
      case 'DescribeAutoScalingInstances':
        return {
          AutoScalingInstances: [...this.scalingGroups].flatMap(([AutoScalingGroupName, { instanceIds }]) =>
            instanceIds
              .filter((id) => (input.InstanceIds as string[]).includes(id))
              .map((InstanceId) => ({ InstanceId, AutoScalingGroupName })),
          ),
        };
      case 'DescribeLifecycleHooks':
        return {
          LifecycleHooks: this.scalingGroups
            .get(String(input.AutoScalingGroupName))
            ?.hooks.map((LifecycleTransition) => ({ LifecycleTransition })),
        };
      case 'GetParametersByPath': {
        const below = [...this.parameters]
          .filter(([name]) => name.startsWith(`${String(input.Path)}/`))
          .filter(([name]) => input.Recursive === true || !name.slice(String(input.Path).length + 1).includes('/'))
          .map(([Name, versions]) => ({ Name, Value: versions.at(-1) }));
        const { items, next } = this.#page(below, input.NextToken);
        return { Parameters: items, NextToken: next };
      }
      case 'PutParameter': {
        const versions = this.parameters.get(String(input.Name));
        if (versions !== undefined && input.Overwrite !== true) throw new FakeError('ParameterAlreadyExists');
        const all = [...(versions ?? []), String(input.Value)];
        this.parameters.set(String(input.Name), all);
        return { Version: all.length };
      }
      case 'DeleteParameter':
        if (!this.parameters.delete(String(input.Name))) throw new FakeError('ParameterNotFound');
        return {};
      case 'DescribeInstanceInformation': {
        const filters = input.Filters as { Key: string; Values: string[] }[];
        const { items, next } = this.#page(this.#describeInstances(filters), input.NextToken);
        return { InstanceInformationList: items, NextToken: next };
      }
      case 'DescribeInstanceHealth':
        return {
          InstanceStates: this.#loadBalancer(input.LoadBalancerName).instanceIds.map((InstanceId) => ({
            InstanceId,
            State: 'InService',
            ...this.health.get(InstanceId),
          })),
        };
      case 'SendCommand': {
        const CommandId = `command-${this.commands.size + 1}`;
        const ids = input.InstanceIds as string[];
        this.answer(CommandId, Object.fromEntries(ids.map((id) => [id, this.answersTo?.(id) ?? {}])));
        return { Command: { CommandId } };
      }
      case 'PutEvents':
        for (const { DetailType = '', Detail = '' } of input.Entries as { DetailType?: string; Detail?: string }[])
          this.events.push({ detailType: DetailType, detail: JSON.parse(Detail) });
        return { FailedEntryCount: 0 };
      case 'ListCommandInvocations':
        // "Length Constraints: Fixed length of 36": the tests' ids are shorter, and none is empty.
        if (input.CommandId === '') throw new FakeError('ValidationException');
        return {
          CommandInvocations: [...(this.commands.get(String(input.CommandId)) ?? [])].map(([InstanceId, each]) => ({
            InstanceId,
            Status: each.status,
            StatusDetails: each.details ?? each.status,
            CommandPlugins: [{ Output: each.output }],
          })),
        };
      case 'GetAutomationExecution': {
        const execution = this.executions.get(String(input.AutomationExecutionId));
        if (execution === undefined) throw new FakeError('AutomationExecutionNotFoundException');
        return {
          AutomationExecution: {
            AutomationExecutionId: input.AutomationExecutionId,
            AutomationExecutionStatus: execution.status,
            ExecutionStartTime: execution.startedAt,
            ExecutedBy: 'arn:aws:iam::111122223333:user/someone',
            Parameters: execution.parameters,
            Outputs: execution.outputs,
            CurrentStepName: execution.currentStep,
            StepExecutions: execution.steps,
          },
        };
      }
      case 'StartAutomationExecution': {
        this.started += 1;
        const id = `execution-${this.started}`;
        this.executions.set(id, { status: 'InProgress', parameters: input.Parameters as Record<string, string[]> });
        return { AutomationExecutionId: id };
      }
      case 'StopAutomationExecution': {
        const execution = this.executions.get(String(input.AutomationExecutionId));
        if (execution !== undefined) execution.status = 'Cancelled';
        return {};
      }
      case 'Invoke':
        this.invoked.push(input);
        return {};
      default:
        throw new TypeError(`the fake has no ${action}`);
    }
  }

  #loadBalancer(name: unknown): FakeLoadBalancer {
    const loadBalancer = this.loadBalancers.get(String(name));
    if (loadBalancer === undefined) throw new FakeError('AccessPointNotFoundException');
    return loadBalancer;
  }

  #page<Item>(
    items: readonly Item[],
    token: unknown,
  ): { readonly items: readonly Item[]; readonly next: string | undefined } {
    const start = Number(token ?? 0);
    const end = start + this.pages.size;
    return { items: items.slice(start, end), next: end < items.length ? String(end) : this.pages.last };
  }

  #describeLoadBalancer(name: string): object {
    const { listeners, instanceIds, healthCheckTarget, backend } = this.#loadBalancer(name);
    return {
      LoadBalancerName: name,
      ListenerDescriptions: listeners.map((Listener) => ({ Listener, PolicyNames: [] })),
      // "Lists only ports that have a policy", with or without a listener.
      BackendServerDescriptions: Object.entries(backend).map(([port, PolicyNames]) => ({
        InstancePort: Number(port),
        PolicyNames,
      })),
      Instances: instanceIds.map((InstanceId) => ({ InstanceId })),
      Subnets: ['subnet-1'],
      SecurityGroups: ['sg-web'],
      HealthCheck: { Target: healthCheckTarget },
    };
  }

  #describeInstances(filters: readonly { readonly Key: string; readonly Values: readonly string[] }[]): object[] {
    const [filter] = filters;
    return [...this.managed]
      .filter(([id, { tagged }]) =>
        filter?.Key === 'InstanceIds' ? filter.Values.includes(id) : filter?.Key === 'tag:fleet' && tagged,
      )
      .map(([InstanceId, { pingStatus }]) => ({ InstanceId, PingStatus: pingStatus }));
  }

  #getParameter(name: string): unknown {
    const [path = '', version] = name.split(':');
    const versions = this.parameters.get(path);
    if (versions === undefined) throw new FakeError('ParameterNotFound');
    const number = version === undefined ? versions.length : Number(version);
    return { Parameter: { Value: versions[number - 1], Version: number } };
  }
}
