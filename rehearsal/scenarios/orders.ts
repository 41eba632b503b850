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
import type { Traffic } from '../traffic/traffic.ts';
import type { ScenarioOptions } from './options.ts';
import { pause } from './pause.ts';
import { runRunbook } from './runbook.ts';
import { createStack, deleteStack, fleetParameters, stackParameters, waitForStack } from './stack.ts';

/** As the product is meant to be used. @returns the stack's status */
export async function enableByStack(
  environment: Environment,
  fleet: Fleet,
  options: ScenarioOptions,
  interrupted: AbortSignal,
): Promise<string> {
  await createStack(environment, stackParameters(fleet, options));
  return waitForStack(environment, interrupted);
}

/**
 * On and off, as people do it: on first by the stack's creation and off last by its deletion; in between by the runbook, which
 * the stack has brought, from the console.
 *
 * @returns the stack's last status
 * @throws Error  the stack or an execution did not end as it should
 */
export async function cycle(
  environment: Environment,
  fleet: Fleet,
  options: ScenarioOptions,
  interrupted: AbortSignal,
): Promise<string> {
  const created = await enableByStack(environment, fleet, options, interrupted);
  if (created !== 'CREATE_COMPLETE') return created;
  for (let round = 1; round < options.cycles; round += 1) {
    for (const direction of ['disable', 'enable'] as const) {
      await pause(options.restSeconds * 1000, interrupted);
      await runRunbook(environment, direction, fleetParameters(fleet, options), interrupted);
    }
  }
  await pause(options.restSeconds * 1000, interrupted);
  await deleteStack(environment);
  return waitForStack(environment, interrupted);
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
  await makeNginxStrict(environment, fleet);
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
  await makeNginxStrict(environment, fleet);
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

/**
 * By hand, as people do it: not by the Command document, which would go by way of `both`. The load balancer's subnets are to be
 * believed, too: without that nginx would go on telling the node's address.
 */
async function makeNginxStrict(environment: Environment, fleet: Fleet): Promise<void> {
  const trusted = [...environment.world.subnets.values()].map(({ cidrBlock }) => `set_real_ip_from ${cidrBlock};`);
  await Promise.all(
    fleet.instances.map(async ({ machine }) => {
      const { exitCode, stderr } = await machine.exec([
        'sh',
        '-c',
        `cd /etc/nginx/proxyflip/listen && sed -i -E '/unix:/! s/^(listen .*default_server);/\\1 proxy_protocol;/' *.conf && sed -i '$ a ${trusted.join(' ')}' *.conf && nginx -t -q && systemctl reload nginx`,
      ]);
      if (exitCode !== 0) throw new Error(`machine ${machine.name}: nginx was not made strict: ${stderr}`);
    }),
  );
}
