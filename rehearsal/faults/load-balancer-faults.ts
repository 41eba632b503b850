/** What can befall the load balancer in the middle of a switch, one fault each. */
import {
  DeregisterInstancesFromLoadBalancerCommand,
  type ElasticLoadBalancingClient,
} from '@aws-sdk/client-elastic-load-balancing';
import type { Environment } from '../environment.ts';
import { LOAD_BALANCER, registerInstances, waitInService } from '../fleet.ts';
import type { Traffic } from '../traffic/traffic.ts';
import type { Instance } from '../world.ts';
import type { Moment, StepFault } from './step-faults.ts';

/** Twenty times what other nodes take here; on AWS nobody knows how many minutes it may be. Unit: milliseconds. */
const LATE_MS = 10_000;

const before = (...steps: string[]): Moment[] => steps.map((step) => ({ step, when: 'before' }));

export function loadBalancerFaults(
  environment: Environment,
  instances: readonly Instance[],
  traffic: Traffic,
): StepFault[] {
  const { dataPlane } = environment;
  const [first = ''] = dataPlane.addresses(LOAD_BALANCER);
  const [, leaving] = instances;
  if (leaving === undefined) throw new Error('two instances are needed');
  const lead = () => traffic.targets(dataPlane.addresses(LOAD_BALANCER));
  const lost = async (): Promise<void> => {
    const address = dataPlane.addresses(LOAD_BALANCER).at(-1) ?? '';
    await traffic.targets(dataPlane.addresses(LOAD_BALANCER).filter((each) => each !== address));
    await dataPlane.removeNode(LOAD_BALANCER, address);
  };
  const added = async (): Promise<void> => {
    await dataPlane.addNode(LOAD_BALANCER);
    // As on AWS, where a node is in the DNS only when its own health checks have found instances.
    await waitInService(environment, instances.length);
    await lead();
  };
  return [
    {
      name: `a node gets the policy ${LATE_MS / 1000} s late`,
      moments: before('SetPolicies'),
      cuts: false,
      strike: async () => dataPlane.delayPolicies(first, LATE_MS),
      mend: async () => dataPlane.delayPolicies(first, 0),
    },
    {
      name: 'a node added',
      moments: before('AcceptBoth', 'MeasureReceivers'),
      cuts: false,
      strike: added,
      mend: async () => {},
    },
    {
      name: 'a node lost',
      moments: before('AcceptBoth', 'MeasureReceivers'),
      cuts: true,
      strike: lost,
      mend: async () => {},
    },
    {
      name: 'an instance leaves',
      moments: before('AcceptBoth', 'MeasureReceivers'),
      cuts: true,
      strike: () => deregister(environment.clients.elb, leaving),
      mend: async () => {
        await registerInstances(environment, [leaving]);
        await waitInService(environment, instances.length);
      },
    },
  ];
}

async function deregister(elb: ElasticLoadBalancingClient, { instanceId }: Instance): Promise<void> {
  await elb.send(
    new DeregisterInstancesFromLoadBalancerCommand({
      LoadBalancerName: LOAD_BALANCER,
      Instances: [{ InstanceId: instanceId }],
    }),
  );
}
