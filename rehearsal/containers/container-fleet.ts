/** A fleet of instances that run the receiver as a container, behind the listeners of its compose file: TCP 80 → 81, SSL 443 → 444. */
import type { Environment } from '../environment.ts';
import {
  createLoadBalancer,
  enlist,
  type Fleet,
  LOAD_BALANCER,
  type LoadBalancerShape,
  registerInstances,
  waitInService,
} from '../fleet.ts';
import { FOR_CONTAINERS, requirePackages } from '../host/packages.ts';
import { ADDRESSES } from '../network/fabric.ts';
import type { Instance } from '../world.ts';
import { startContainerHost } from './container-host.ts';
import { prepareContainerImages, RECEIVER_ARCHIVE } from './images.ts';
import { Podman } from './podman.ts';

/** The health check is the simplest that there is: a connection to the port that redirects. */
const SHAPE: LoadBalancerShape = { httpPort: 81, httpsPort: 444, healthCheck: 'TCP:81' };
export const INSTANCE_PORTS = [SHAPE.httpPort, SHAPE.httpsPort];

export async function startContainerFleet(environment: Environment, machines: number): Promise<Fleet> {
  const { say } = environment.options;
  await requirePackages(FOR_CONTAINERS, say);
  prepareContainerImages(say);
  say(`Starting ${machines} instances with the container`);
  const podman = await Podman.withImages(`${environment.directory.path}/oci`, [RECEIVER_ARCHIVE]);
  const instances: Instance[] = [];
  for (let index = 0; index < machines; index += 1) {
    const host = await startContainerHost({
      name: `m${index}`,
      fabric: environment.fabric,
      privateIpAddress: ADDRESSES.instance(index),
      podman,
      directory: environment.directory.path,
    });
    environment.cleanup.use(`instance ${host.name}`, host);
    instances.push(enlist(environment, index, host));
  }
  await createLoadBalancer(environment, LOAD_BALANCER, SHAPE);
  await registerInstances(environment, instances);
  await waitInService(environment, instances.length);
  return { instances };
}
