/**
 * `npm run rehearse -- stack`: the life of the product's stack under traffic. It is created, updated, rolled back and deleted, and
 * each time the writes at the load balancers are counted and the policy lists of all instance ports compared.
 */
import {
  CreateLoadBalancerListenersCommand,
  CreateLoadBalancerPolicyCommand,
  DeleteLoadBalancerListenersCommand,
  DescribeLoadBalancersCommand,
  RegisterInstancesWithLoadBalancerCommand,
  SetLoadBalancerPoliciesForBackendServerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import type { Environment } from '../environment.ts';
import { createLoadBalancer, type Fleet, LOAD_BALANCER, waitInService } from '../fleet.ts';
import type { Required } from '../report/result.ts';
import type { Traffic } from '../traffic/traffic.ts';
import { judged, type Play, type Stage } from './judged.ts';
import type { ScenarioOptions } from './options.ts';
import { runRunbook } from './runbook.ts';
import {
  createStack,
  deleteStack,
  fleetParameters,
  STACK,
  type StackParameters,
  stackEvents,
  stackParameters,
  updateStack,
  waitForStack,
} from './stack.ts';

const OTHER_LOAD_BALANCER = `${LOAD_BALANCER}-2`;
const SECOND_STACK = `${STACK}-2`;
const OTHER_TAG = { key: 'team', value: 'chat' };
const ADDED = { loadBalancerPort: 8080, instancePort: 82 };
const OURS = 'proxyflip-proxy-protocol';
const FOREIGN = 'corporate-keys';
/** No listener feeds it, and somebody's policy is on it all the same. */
const FORGOTTEN_PORT = 9443;

/** Calls that change something at a load balancer on behalf of the product. */
interface Writes {
  readonly created: number;
  readonly attached: number;
  readonly deleted: number;
}

interface StepResult {
  readonly step: string;
  /** Of the stack. */
  readonly status: string;
  readonly writes: Writes;
  /** Instance port → policies, of each load balancer. */
  readonly policies: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** What is not as it has to be; empty: nothing. */
  readonly wrong: readonly string[];
}

export function stackLife(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  return judged(options, interrupted, (stage) => new StackLife(stage));
}

class StackLife implements Play {
  readonly title = `${LOAD_BALANCER}: a stack created, updated, rolled back and deleted`;
  readonly required: Partial<Required>;
  readonly #steps: StepResult[] = [];
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

  details() {
    return { steps: this.#steps };
  }

  lines(): string[] {
    return this.#steps.map(
      ({ step, status, writes: { created, attached, deleted } }) =>
        `${step}: ${status}; policies created ${created}, attached ${attached}, deleted ${deleted}`,
    );
  }

  shortfalls(): string[] {
    return this.#steps.flatMap(({ step, wrong }) => wrong.map((each) => `${step}: ${each}`));
  }

  async play(traffic: Traffic): Promise<string> {
    await this.#attachForeignPolicies();
    const before = await this.#policies();
    const on = (name: string, ports: readonly number[]) => ({
      [name]: Object.fromEntries([
        ...Object.entries(before[name] ?? {}),
        ...ports.map((port) => [String(port), [...(before[name]?.[port] ?? []), OURS]]),
      ]),
    });
    const parameters = stackParameters(this.#fleet, this.#options);

    await this.#step('created, and rolled back', {
      do: () => this.#create({ ...parameters, IncludePorts: '80, 99' }),
      status: 'ROLLBACK_COMPLETE',
      writes: {},
      policies: before,
    });
    await this.#step('deleted after the rollback', {
      do: () => this.#delete(),
      status: 'DELETE_COMPLETE',
      writes: {},
      policies: before,
    });
    await this.#step('created', {
      do: () => this.#create(parameters),
      status: 'CREATE_COMPLETE',
      writes: { created: 1, attached: 2 },
      policies: on(LOAD_BALANCER, [80, 81]),
    });
    await this.#step('run again by a person', {
      do: async () => {
        await runRunbook(this.#environment, 'enable', fleetParameters(this.#fleet, this.#options), this.#interrupted);
        return waitForStack(this.#environment, this.#interrupted);
      },
      status: 'CREATE_COMPLETE',
      writes: {},
      policies: on(LOAD_BALANCER, [80, 81]),
    });

    await this.#step('a second stack on the same load balancer', {
      do: () => this.#createSecond(parameters),
      status: 'ROLLBACK_COMPLETE, and it says whose the load balancer is',
      writes: {},
      policies: on(LOAD_BALANCER, [80, 81]),
    });

    await this.#addListener();
    await this.#step('updated: a listener added', {
      do: () => this.#update({ ...parameters, IncludePorts: '80, 81, 82' }),
      status: 'UPDATE_COMPLETE',
      writes: { attached: 1 },
      policies: on(LOAD_BALANCER, [80, 81, 82]),
    });
    await this.#removeListener();
    await this.#step('updated: a listener removed', {
      do: () => this.#update({ ...parameters, IncludePorts: '80, 81' }),
      status: 'UPDATE_COMPLETE',
      writes: { attached: 1 },
      policies: on(LOAD_BALANCER, [80, 81]),
    });

    this.#tagInstances();
    const tagged = { ...parameters, FleetTagKey: OTHER_TAG.key, FleetTagValue: OTHER_TAG.value };
    await this.#step('updated: the tag changed', {
      do: () => this.#update(tagged),
      status: 'UPDATE_COMPLETE',
      writes: {},
      policies: on(LOAD_BALANCER, [80, 81]),
    });
    await this.#step('updated, and rolled back', {
      do: () => this.#update({ ...tagged, IncludePorts: '80, 99' }),
      status: 'UPDATE_ROLLBACK_COMPLETE',
      writes: {},
      policies: on(LOAD_BALANCER, [80, 81]),
    });

    await this.#addLoadBalancer();
    await this.#step('updated: the load balancer replaced', {
      do: () => this.#update({ ...tagged, LoadBalancerName: OTHER_LOAD_BALANCER }),
      status: 'UPDATE_COMPLETE',
      // On at the new one, then off at the one before, whose policy of ours goes.
      writes: { created: 1, attached: 4, deleted: 1 },
      policies: { ...before, ...on(OTHER_LOAD_BALANCER, [80, 81]) },
    });
    await traffic.targets(this.#environment.dataPlane.addresses(OTHER_LOAD_BALANCER));
    return this.#step('deleted', {
      do: () => this.#delete(),
      status: 'DELETE_COMPLETE',
      writes: { attached: 2, deleted: 1 },
      policies: { ...before, [OTHER_LOAD_BALANCER]: {} },
    });
  }

  async #step(
    step: string,
    wanted: {
      readonly do: () => Promise<string>;
      readonly status: string;
      readonly writes: Partial<Writes>;
      readonly policies: StepResult['policies'];
    },
  ): Promise<string> {
    const { calls } = this.#environment.endpoint.dispatcher;
    const from = calls.length;
    const status = await wanted.do();
    const made = (action: string): number => calls.slice(from).filter((call) => call.action === action).length;
    const writes: Writes = {
      created: made('CreateLoadBalancerPolicy'),
      attached: made('SetLoadBalancerPoliciesForBackendServer'),
      deleted: made('DeleteLoadBalancerPolicy'),
    };
    const policies = await this.#policies();
    const wrong = [
      ...differs('status', status, wanted.status),
      ...differs('writes', writes, { created: 0, attached: 0, deleted: 0, ...wanted.writes }),
      ...differs('policies', policies, wanted.policies),
    ];
    this.#steps.push({ step, status, writes, policies, wrong });
    // What follows would mean nothing.
    if (status !== wanted.status) throw new Error(`${step}: ${wrong.join('; ')}`);
    return status;
  }

  async #create(parameters: StackParameters): Promise<string> {
    await createStack(this.#environment, parameters);
    return waitForStack(this.#environment, this.#interrupted);
  }

  /** @returns its status, and whether its owner and the way out were named in its events */
  async #createSecond(parameters: StackParameters): Promise<string> {
    await createStack(this.#environment, parameters, SECOND_STACK);
    const status = await waitForStack(this.#environment, this.#interrupted, SECOND_STACK);
    const events = await stackEvents(this.#environment, SECOND_STACK);
    await deleteStack(this.#environment, SECOND_STACK);
    await waitForStack(this.#environment, this.#interrupted, SECOND_STACK);
    const reason = events.find(({ ResourceStatus }) => ResourceStatus === 'CREATE_FAILED')?.ResourceStatusReason ?? '';
    const names = new RegExp(`ERR_OTHER_OWNER: ${LOAD_BALANCER} belongs to \\S+:stack/${STACK}/.*DeletionMode Retain`);
    return `${status}, and it says ${names.test(reason) ? 'whose the load balancer is' : reason}`;
  }

  async #update(parameters: StackParameters): Promise<string> {
    await updateStack(this.#environment, parameters);
    return waitForStack(this.#environment, this.#interrupted);
  }

  async #delete(): Promise<string> {
    await deleteStack(this.#environment);
    return waitForStack(this.#environment, this.#interrupted);
  }

  async #policies(): Promise<StepResult['policies']> {
    const { LoadBalancerDescriptions = [] } = await this.#environment.clients.elb.send(
      new DescribeLoadBalancersCommand({}),
    );
    return Object.fromEntries(
      LoadBalancerDescriptions.map(({ LoadBalancerName = '', BackendServerDescriptions = [] }) => [
        LoadBalancerName,
        Object.fromEntries(
          BackendServerDescriptions.map(({ InstancePort = 0, PolicyNames = [] }) => [
            String(InstancePort),
            PolicyNames,
          ]),
        ),
      ]),
    );
  }

  /** Somebody's back-end authentication: on a port that is switched, and on one that is not. */
  async #attachForeignPolicies(): Promise<void> {
    const { elb } = this.#environment.clients;
    const own = { LoadBalancerName: LOAD_BALANCER };
    const key = `${FOREIGN}-key`;
    await elb.send(
      new CreateLoadBalancerPolicyCommand({
        ...own,
        PolicyName: key,
        PolicyTypeName: 'PublicKeyPolicyType',
        PolicyAttributes: [
          { AttributeName: 'PublicKey', AttributeValue: 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA' },
        ],
      }),
    );
    await elb.send(
      new CreateLoadBalancerPolicyCommand({
        ...own,
        PolicyName: FOREIGN,
        PolicyTypeName: 'BackendServerAuthenticationPolicyType',
        PolicyAttributes: [{ AttributeName: 'PublicKeyPolicyName', AttributeValue: key }],
      }),
    );
    for (const InstancePort of [80, FORGOTTEN_PORT]) {
      await elb.send(
        new SetLoadBalancerPoliciesForBackendServerCommand({ ...own, InstancePort, PolicyNames: [FOREIGN] }),
      );
    }
  }

  async #addListener(): Promise<void> {
    await this.#environment.clients.elb.send(
      new CreateLoadBalancerListenersCommand({
        LoadBalancerName: LOAD_BALANCER,
        Listeners: [
          {
            Protocol: 'TCP',
            LoadBalancerPort: ADDED.loadBalancerPort,
            InstanceProtocol: 'TCP',
            InstancePort: ADDED.instancePort,
          },
        ],
      }),
    );
  }

  async #removeListener(): Promise<void> {
    await this.#environment.clients.elb.send(
      new DeleteLoadBalancerListenersCommand({
        LoadBalancerName: LOAD_BALANCER,
        LoadBalancerPorts: [ADDED.loadBalancerPort],
      }),
    );
  }

  #tagInstances(): void {
    const { instances } = this.#environment.world;
    for (const [id, instance] of instances) {
      instances.set(id, { ...instance, tags: { ...instance.tags, [OTHER_TAG.key]: OTHER_TAG.value } });
    }
  }

  /** A load balancer is replaced while both have the fleet: clients move from one to the other in their own time. */
  async #addLoadBalancer(): Promise<void> {
    await createLoadBalancer(this.#environment, OTHER_LOAD_BALANCER);
    await this.#environment.clients.elb.send(
      new RegisterInstancesWithLoadBalancerCommand({
        LoadBalancerName: OTHER_LOAD_BALANCER,
        Instances: this.#fleet.instances.map(({ instanceId }) => ({ InstanceId: instanceId })),
      }),
    );
    await waitInService(this.#environment, this.#fleet.instances.length, OTHER_LOAD_BALANCER);
  }
}

function differs(what: string, found: unknown, wanted: unknown): string[] {
  const [is, shouldBe] = [found, wanted].map((each) => JSON.stringify(sorted(each)));
  return is === shouldBe ? [] : [`${what} ${is} instead of ${shouldBe}`];
}

/** Nobody promises an order of keys. */
function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}
