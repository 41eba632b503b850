/**
 * The ways to switch a fleet that the rehearsal compares. Each tells the traffic before a receiver can leave its mode and after
 * the last has.
 */
import {
  CreateLoadBalancerPolicyCommand,
  SetLoadBalancerPoliciesForBackendServerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import type { Environment } from '../environment.ts';
import { type Fleet, LOAD_BALANCER } from '../fleet.ts';
import { DISAGREEMENT_PHASE } from '../report/result.ts';
import type { SsmEvent } from '../ssm/service.ts';
import type { ReceiverMode } from '../traffic/client-address.ts';
import type { Traffic } from '../traffic/traffic.ts';
import { pause } from './pause.ts';

type Direction = 'enable' | 'disable';

/** Which modes some receiver may be in from the beginning of a step of the runbook on; the others change nothing. */
const PHASE_OF_STEP: Readonly<Record<string, (direction: Direction) => readonly ReceiverMode[]>> = {
  PrepareReceivers: (direction) => [direction === 'enable' ? 'plain' : 'proxy', 'both'],
  SetPolicies: () => ['both'],
  SettleReceivers: (direction) => ['both', direction === 'enable' ? 'proxy' : 'plain'],
  Finish: (direction) => [direction === 'enable' ? 'proxy' : 'plain'],
};

/** Tell the traffic what the runbook is doing, while it does it. @returns a function that ends this */
export function followRunbook(environment: Environment, traffic: Traffic, direction: () => Direction): () => void {
  return environment.ssm.subscribe((event: SsmEvent) => {
    if (event.type !== 'step' || event.status !== 'InProgress') return;
    const modes = PHASE_OF_STEP[event.stepName]?.(direction());
    if (modes !== undefined) void traffic.phase(modes.join(' → '), modes);
  });
}

const POLICY = `${LOAD_BALANCER}-proxy-protocol`;
const PORTS = [80, 81];

/** How long the two sides are left to disagree once they do for certain. Unit: milliseconds. */
const DISAGREEMENT_MS = 8_000;

/** What the seeds say: the two commands of the AWS CLI, then the strict virtual host. */
export async function switchLoadBalancerFirst(
  environment: Environment,
  fleet: Fleet,
  traffic: Traffic,
  interrupted: AbortSignal,
): Promise<void> {
  await traffic.phase(DISAGREEMENT_PHASE);
  await setPolicies(environment);
  await pause(environment.options.policyDelayMs[1] + DISAGREEMENT_MS, interrupted);
  await makeNginxStrict(fleet);
  await traffic.phase('proxy');
}

/** What the seeds advise against the 400s of the first way: the strict virtual host, then the commands. */
export async function switchNginxFirst(
  environment: Environment,
  fleet: Fleet,
  traffic: Traffic,
  interrupted: AbortSignal,
): Promise<void> {
  await traffic.phase(DISAGREEMENT_PHASE);
  await makeNginxStrict(fleet);
  await pause(DISAGREEMENT_MS, interrupted);
  await setPolicies(environment);
  await pause(environment.options.policyDelayMs[1] + 1_000, interrupted);
  await traffic.phase('proxy');
}

async function setPolicies(environment: Environment): Promise<void> {
  const { elb } = environment.clients;
  await elb.send(
    new CreateLoadBalancerPolicyCommand({
      LoadBalancerName: LOAD_BALANCER,
      PolicyName: POLICY,
      PolicyTypeName: 'ProxyProtocolPolicyType',
      PolicyAttributes: [{ AttributeName: 'ProxyProtocol', AttributeValue: 'True' }],
    }),
  );
  for (const InstancePort of PORTS) {
    await elb.send(
      new SetLoadBalancerPoliciesForBackendServerCommand({
        LoadBalancerName: LOAD_BALANCER,
        InstancePort,
        PolicyNames: [POLICY],
      }),
    );
  }
}

/** By hand, as people do it: not by the Command document, which would go by way of `both`. */
async function makeNginxStrict(fleet: Fleet): Promise<void> {
  await Promise.all(
    fleet.instances.map(async ({ machine }) => {
      const { exitCode, stderr } = await machine.exec([
        'sh',
        '-c',
        `sed -i -E '/unix:/! s/^(listen .*default_server);/\\1 proxy_protocol;/' /etc/nginx/proxyflip/listen/*.conf && nginx -t -q && systemctl reload nginx`,
      ]);
      if (exitCode !== 0) throw new Error(`machine ${machine.name}: nginx was not made strict: ${stderr}`);
    }),
  );
}
