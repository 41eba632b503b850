/** The rehearsal as the suite's target. The one file of the suite that knows of the rehearsal's inside. */
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { CREDENTIALS, Environment } from '../../rehearsal/environment.ts';
import { launchInstance } from '../../rehearsal/fleet.ts';
import { startGateway } from '../../rehearsal/network/gateway-process.ts';
import { REGION } from '../../rehearsal/world.ts';
import { createClients, type Target } from './target.ts';

export async function openRehearsalTarget(): Promise<Target> {
  const environment = await Environment.start({
    image: 'baked',
    release: 'bookworm',
    policyDelayMs: [200, 2_000],
    nodes: 2,
    apiPort: 0,
    pagePort: undefined,
    say: () => {},
  });
  let instances = 0;
  const ways = new Map<string, Promise<void>>();
  const openWay = async (route: string): Promise<void> => {
    environment.cleanup.use('a way to a node', await startGateway(environment.fabric, [route]));
  };
  return {
    clients: createClients({ region: REGION, endpoint: environment.endpoint.url, credentials: CREDENTIALS }),
    subnetIds: [...environment.world.subnets.keys()],
    securityGroups: async () => [],
    async launch(script) {
      const { instanceId, machine } = await launchInstance(environment, instances++);
      const { exitCode, stderr } = await machine.exec(['bash', '-s'], { stdin: script });
      if (exitCode !== 0) throw new Error(`the script ended with ${exitCode}: ${stderr}`);
      return instanceId;
    },
    addresses: async (loadBalancerName) => [...environment.dataPlane.addresses(loadBalancerName)],
    async connect(address, port) {
      // The network is in namespaces; the way into it is a unix socket for each address and port.
      const socketPath = path.join(environment.directory.path, `way-${address}-${port}.sock`);
      if (!ways.has(socketPath)) ways.set(socketPath, openWay(`unix:${socketPath}>tcp:${address}:${port}`));
      await ways.get(socketPath);
      const socket = net.connect(socketPath);
      await once(socket, 'connect');
      return socket;
    },
    close: () => environment[Symbol.asyncDispose](),
  };
}
