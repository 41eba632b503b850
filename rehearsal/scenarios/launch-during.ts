/**
 * What an Auto Scaling group does while a fleet is switched: in each switch one instance is launched and one is ended.
 *
 * The launched one is registered as soon as it is there; the stack's association gives it its receiver, and the health check decides
 * when it is served from. The ended one is deregistered, drained and stopped. It is one that no WebSocket is open to, since those
 * stay from the beginning to the end: at first an instance of its own, then the one that the switch before has launched.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeregisterInstancesFromLoadBalancerCommand,
  DescribeInstanceHealthCommand,
  RegisterInstancesWithLoadBalancerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import { ListCommandInvocationsCommand } from '@aws-sdk/client-ssm';
import type { Environment } from '../environment.ts';
import {
  type Fleet,
  INSTANCE_PORTS,
  LOAD_BALANCER,
  launchInstance,
  runReceiverDocument,
  waitInService,
} from '../fleet.ts';
import type { Instance } from '../world.ts';

/** Draining takes 30 s, and a command that is at work is waited for. Unit: milliseconds. */
const END_LIMIT_MS = 120_000;
const POLL_MS = 250;

/**
 * @param fleet   gets the launched instances too
 * @param script  switches, once or several times
 * @returns       what the script does, when all that it has brought with it is over
 * @throws Error  an instance was not served from, or could not be ended
 */
export async function launchDuring<T>(environment: Environment, fleet: Fleet, script: () => Promise<T>): Promise<T> {
  let spare = await launchInstance(environment, fleet.instances.length);
  fleet.instances.push(spare);
  await runReceiverDocument(environment, {
    Operation: 'SetMode',
    Mode: 'plain',
    InstancePorts: INSTANCE_PORTS,
    ...fleet.chat,
  });
  await register(environment, spare);
  await waitInService(environment, fleet.instances.length);

  let launched = 0;
  let underWay = Promise.resolve();
  const replace = async (): Promise<void> => {
    const ended = spare;
    spare = await launchInstance(environment, fleet.instances.length);
    fleet.instances.push(spare);
    await register(environment, spare);
    await Promise.all([end(environment, ended), waitServing(environment, spare)]);
  };
  const unsubscribe = environment.ssm.subscribe((event) => {
    if (event.type !== 'step' || event.status !== 'InProgress' || event.stepName !== 'SetPolicies') return;
    launched += 1;
    underWay = underWay.then(replace);
    // Told when the script has ended; until then it must not end the process.
    underWay.catch(() => {});
  });
  try {
    const result = await script();
    if (launched === 0) throw new Error('no instance was launched: no switch has come to its step SetPolicies');
    await underWay;
    return result;
  } finally {
    unsubscribe();
  }
}

const register = (environment: Environment, { instanceId }: Instance): Promise<unknown> =>
  environment.clients.elb.send(
    new RegisterInstancesWithLoadBalancerCommand({
      LoadBalancerName: LOAD_BALANCER,
      Instances: [{ InstanceId: instanceId }],
    }),
  );

async function end(environment: Environment, instance: Instance): Promise<void> {
  const { elb, ssm } = environment.clients;
  const { instanceId, machine } = instance;
  await elb.send(
    new DeregisterInstancesFromLoadBalancerCommand({
      LoadBalancerName: LOAD_BALANCER,
      Instances: [{ InstanceId: instanceId }],
    }),
  );
  await until(`${machine.name} is drained`, async () => (await healthOf(environment, instance)) === undefined);
  // No command is sent to it any more, and none goes away with it: that would be waited for as long as AWS waits, for its time-out.
  environment.world.instances.delete(instanceId);
  await until(`no command is at work on ${machine.name}`, async () => {
    const { CommandInvocations = [] } = await ssm.send(new ListCommandInvocationsCommand({ InstanceId: instanceId }));
    return CommandInvocations.every(({ Status }) => Status !== 'Pending' && Status !== 'InProgress');
  });
  await machine.exec(['systemctl', 'poweroff']);
  await until(`${machine.name} is off`, async () => !machine.isRunning());
}

const waitServing = (environment: Environment, instance: Instance): Promise<void> =>
  until(`${instance.machine.name} is InService`, async () => (await healthOf(environment, instance)) === 'InService');

/** undefined = the load balancer does not list it any more. */
async function healthOf(environment: Environment, { instanceId }: Instance): Promise<string | undefined> {
  const { InstanceStates = [] } = await environment.clients.elb.send(
    new DescribeInstanceHealthCommand({ LoadBalancerName: LOAD_BALANCER }),
  );
  return InstanceStates.find((each) => each.InstanceId === instanceId)?.State;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const limit = Date.now() + END_LIMIT_MS;
  while (!(await isSo())) {
    if (Date.now() > limit) throw new Error(`after ${END_LIMIT_MS / 1000} s it is not so that ${what}`);
    await sleep(POLL_MS);
  }
}
