/** What comes to the instances past the load balancer, and shows in nginx's logs alone. */
import type { Instance } from '../../../world.ts';
import type { Hands } from '../hands.ts';
import type { Cast, Way } from './way.ts';

export function trafficWays({ hands, neighbour, victims, completeCheck }: Cast): Way[] {
  const [one, two] = victims;
  // It has no command: whoever calls has to stop. Then one scheduled check still reads the logs of before.
  const stopCalling = { isMendedBySwitch: false, decide: completeCheck };
  return [
    {
      ...stopCalling,
      kind: 'proxy-lines-refused',
      by: 'a second proxy writes a line as well',
      severity: 'SOME_REQUESTS_FAIL',
      where: two.instanceId,
      cause: /second proxy/,
      make: async () => {
        // It is told by its share of the requests since the last complete run: so that there are few others.
        await completeCheck();
        await hands.on(
          neighbour,
          `line='PROXY TCP4 192.0.2.7 10.0.101.21 40000 81\\r\\n'
call() { exec 3<>/dev/tcp/${two.privateIpAddress}/81; printf "$line$line\\r\\n" >&3; read -r -t 2 answer <&3; exec 3<&-; }
for worker in 1 2 3 4; do (for each in $(seq 2000); do call; done) & done; wait`,
        );
      },
    },
    {
      ...stopCalling,
      kind: 'broken-headers',
      by: 'a neighbour calls a switched port directly',
      severity: 'SOME_REQUESTS_FAIL',
      where: two.instanceId,
      cause: /past the load balancer/,
      make: () => call(hands, neighbour, two, 'curl/8'),
    },
    {
      ...stopCalling,
      kind: 'other-load-balancer',
      by: 'an Application Load Balancer gets the instance as a target on a switched port',
      severity: 'SOME_REQUESTS_FAIL',
      where: one.instanceId,
      cause: /Application or Network Load Balancer/,
      make: () => call(hands, neighbour, one, 'ELB-HealthChecker/2.0'),
    },
  ];
}

/** A tenth of a second apart, so that the log has them one by one. */
const call = (hands: Hands, from: Instance, to: Instance, agent: string): Promise<unknown> =>
  hands.on(
    from,
    `for each in 1 2 3; do curl --silent --max-time 2 --user-agent ${agent} http://${to.privateIpAddress}:81/ || true; sleep 0.1; done`,
  );
