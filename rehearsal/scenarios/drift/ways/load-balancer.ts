/**
 * The ways in which a switched fleet comes to differ from what was set: who does what, what the check has to say of it, and what is
 * left to be done when it is mended. In the order in which they are made.
 */
import { once } from 'node:events';
import { GetParameterCommand, StopAutomationExecutionCommand } from '@aws-sdk/client-ssm';
import type { Environment } from '../../environment.ts';
import { type ChatFleet, createLoadBalancer, INSTANCE_PORTS, LOAD_BALANCER, waitInService } from '../../fleet.ts';
import { ACCOUNT_ID, type Instance, REGION } from '../../world.ts';
import type { ScenarioOptions } from '../options.ts';
import { pause } from '../pause.ts';
import { runRunbook, startRunbook, waitForExecution } from '../runbook.ts';
import { fleetParameters } from '../stack.ts';
import type { Hands } from './hands.ts';

export interface Way {
  readonly kind: string;
  /** As people would say it. */
  readonly by: string;
  readonly severity: string;
  /** The health check takes the instance out of service, before it is looked at or after: then its next change fails, and no request. */
  readonly isTakenOut?: true;
  readonly where: string;
  /** Other findings that it cannot come without. */
  readonly also?: readonly string[];
  /** What the finding has to say of who did it. */
  readonly cause?: RegExp;
  /** Default `MODIFIED`. */
  readonly status?: 'UNKNOWN' | 'DELETED';
  /** Default: the fleet's. */
  readonly loadBalancer?: string;
  /** The runbook mends it, and so does remediation. */
  readonly isMendedBySwitch: boolean;
  make(): Promise<unknown>;
  /** Where the finding has no command, since it takes a decision; undefined = nothing is needed. */
  decide?(): Promise<unknown>;
  /** What was mended by taking it on as it is, taken back. */
  after?(): Promise<unknown>;
}

export interface Cast {
  readonly environment: Environment;
  readonly fleet: ChatFleet;
  readonly options: ScenarioOptions;
  readonly interrupted: AbortSignal;
  readonly hands: Hands;
  /** As the schedule does, of the whole account. */
  readonly completeCheck: () => Promise<void>;
}

const POLICY = 'proxyflip-proxy-protocol';
/** Somebody else's, of the same type. */
const FOREIGN = 'somebody-elses';
const IDLE = 'switched-off-by-hand';
const OTHER = `${LOAD_BALANCER}-other`;
const CERTIFICATE = `arn:aws:acm:${REGION}:${ACCOUNT_ID}:certificate/chat`;

export function ways({ environment, fleet, options, interrupted, hands, completeCheck }: Cast): Way[] {
  // What ends connections is done to one instance; the WebSockets of the others have to stay.
  const victim = fleet.instances.at(-1);
  const neighbour = fleet.instances[0];
  if (victim === undefined || neighbour === undefined || victim === neighbour) {
    throw new Error('drift needs two machines at least');
  }
  const at = victim.instanceId;
  const elb = (words: string, name = LOAD_BALANCER) => hands.shell(`aws elb ${words} --load-balancer-name ${name}`);
  const setPolicies = (port: number, ...names: string[]) =>
    elb(
      `set-load-balancer-policies-for-backend-server --instance-port ${port} --policy-names ${names.join(' ') || "'[]'"}`,
    );
  const createPolicy = (name: string, value: string) =>
    elb(
      `create-load-balancer-policy --policy-name ${name} --policy-type-name ProxyProtocolPolicyType --policy-attributes AttributeName=ProxyProtocol,AttributeValue=${value}`,
    );
  const addListener = (listener: string, name = LOAD_BALANCER) =>
    elb(`create-load-balancer-listeners --listeners '${listener}'`, name);
  const deleteListener = (port: number) => elb(`delete-load-balancer-listeners --load-balancer-ports ${port}`);
  const trusted = [...environment.world.subnets.values()].map(({ cidrBlock }) => cidrBlock).join(' ');
  const receiver = (parameters: Readonly<Record<string, string>>) =>
    hands.receiver(victim, { InstancePorts: INSTANCE_PORTS, TrustedCidrs: trusted, ...fleet.chat, ...parameters });
  const register = (instance: Instance) =>
    elb(`register-instances-with-load-balancer --instances ${instance.instanceId}`);
  const enable = (more: Readonly<Record<string, string>> = {}) =>
    runRunbook(environment, 'enable', { ...fleetParameters(fleet, options), ...more }, interrupted);

  const logsCount = async (): Promise<void> => {
    const name = `/proxyflip/drift/status/${LOAD_BALANCER}`;
    const asked = environment.clients.ssm.send(new GetParameterCommand({ Name: name }));
    const { Parameter } = await asked.catch(() => ({ Parameter: undefined }));
    if (Parameter?.Value === undefined) return;
    const waitMs = Date.parse(JSON.parse(Parameter.Value).at) + FOLLOW_MS - Date.now();
    if (waitMs > 0) await pause(waitMs, interrupted);
  };

  return [
    // --- at the load balancer ---------------------------------------------------------------------------------------
    {
      kind: 'policy-missing',
      by: 'the policies of an instance port are set to none',
      severity: 'EVERY_REQUEST_FAILS',
      where: 'port 81',
      isMendedBySwitch: true,
      make: () => setPolicies(81),
    },
    {
      kind: 'policy-wrong-attribute',
      by: 'a policy that writes nothing is added',
      severity: 'UNTIDY',
      where: 'port 80',
      isMendedBySwitch: false,
      make: async () => {
        await createPolicy(IDLE, 'false');
        await setPolicies(80, POLICY, IDLE);
      },
    },
    {
      kind: 'policy-foreign',
      by: 'somebody takes a policy of their own instead',
      severity: 'UNTIDY',
      where: 'port 80',
      isMendedBySwitch: false,
      make: async () => {
        await createPolicy(FOREIGN, 'true');
        await setPolicies(80, FOREIGN);
      },
    },
    {
      kind: 'policy-doubled',
      by: 'somebody adds a policy of their own',
      severity: 'NEXT_CHANGE_FAILS',
      where: 'port 81',
      isMendedBySwitch: false,
      make: () => setPolicies(81, POLICY, FOREIGN),
    },
    {
      kind: 'policy-without-listener',
      by: 'a listener is deleted, and the policy of its instance port stays',
      severity: 'NEXT_CHANGE_FAILS',
      where: 'port 83',
      cause: /the listener was deleted/,
      isMendedBySwitch: false,
      make: async () => {
        await addListener('Protocol=TCP,LoadBalancerPort=8083,InstanceProtocol=TCP,InstancePort=83');
        await setPolicies(83, POLICY);
        await deleteListener(8083);
      },
    },
    {
      kind: 'listener-added',
      by: 'a listener is added, to an instance port of its own',
      severity: 'CLIENT_ADDRESSES_WRONG',
      where: 'port 82',
      cause: /added after the switch/,
      isMendedBySwitch: true,
      make: () => addListener('Protocol=TCP,LoadBalancerPort=8082,InstanceProtocol=TCP,InstancePort=82'),
    },
    {
      kind: 'listener-removed',
      by: 'it is deleted again',
      severity: 'NEXT_CHANGE_FAILS',
      where: 'port 82',
      also: ['policy-without-listener'],
      isMendedBySwitch: true,
      // By itself it is mended like the one before: there has to be one to remove.
      make: async () => {
        await addListener('Protocol=TCP,LoadBalancerPort=8082,InstanceProtocol=TCP,InstancePort=82');
        await enable();
        await deleteListener(8082);
      },
    },
    {
      kind: 'listener-scheme',
      by: 'a listener is made again in front of an instance port that another feeds',
      severity: 'UNTIDY',
      where: 'port 81',
      cause: /made again/,
      isMendedBySwitch: true,
      make: () => addListener('Protocol=TCP,LoadBalancerPort=8443,InstanceProtocol=TCP,InstancePort=81'),
      after: async () => {
        await deleteListener(8443);
        await enable();
      },
    },
    {
      kind: 'listener-protocol',
      by: 'a listener is made again as HTTP',
      severity: 'EVERY_REQUEST_FAILS',
      where: 'listener 8081',
      cause: /made again/,
      isMendedBySwitch: false,
      make: () =>
        addListener(
          `Protocol=HTTPS,LoadBalancerPort=8081,InstanceProtocol=HTTP,InstancePort=81,SSLCertificateId=${CERTIFICATE}`,
        ),
      after: () => deleteListener(8081),
    },
    {
      kind: 'health-check',
      by: 'the health check is moved to a switched port',
      severity: 'EVERY_REQUEST_FAILS',
      where: 'load balancer',
      isMendedBySwitch: false,
      make: () =>
        elb(
          "configure-health-check --health-check 'Target=HTTP:81/,Interval=5,Timeout=2,UnhealthyThreshold=2,HealthyThreshold=2'",
        ),
    },
    {
      kind: 'instance-shared',
      by: 'another load balancer gets an instance, and sends it plain connections',
      severity: 'SOME_REQUESTS_FAIL',
      where: 'port 80',
      also: ['instance-shared'],
      cause: new RegExp(OTHER),
      isMendedBySwitch: false,
      make: async () => {
        if (!environment.elb.loadBalancers.has(OTHER)) await createLoadBalancer(environment, OTHER);
        await elb(`register-instances-with-load-balancer --instances ${at}`, OTHER);
      },
    },

    // --- at a receiver ----------------------------------------------------------------------------------------------
    {
      kind: 'receiver-mode',
      by: 'the Command document is run on one instance',
      severity: 'SOME_REQUESTS_FAIL',
      where: at,
      cause: /outside of the runbook/,
      isMendedBySwitch: true,
      make: () => receiver({ Operation: 'SetMode', Mode: 'plain' }),
    },
    {
      kind: 'receiver-settings',
      by: 'the same, with a network that is to be believed',
      severity: 'CLIENT_ADDRESSES_WRONG',
      where: at,
      isMendedBySwitch: true,
      make: () => receiver({ Operation: 'SetMode', Mode: 'proxy', TrustedCidrs: '10.0.0.0/8' }),
    },
    {
      kind: 'receiver-missing',
      by: 'the receiver is taken off an instance',
      severity: 'SOME_REQUESTS_FAIL',
      where: at,
      isTakenOut: true,
      isMendedBySwitch: true,
      make: async () => {
        await receiver({ Operation: 'SetMode', Mode: 'plain' });
        await hands.receiver(victim, { Operation: 'Uninstall' });
      },
    },
    {
      kind: 'receiver-files',
      by: 'Puppet writes a managed file again',
      severity: 'NEXT_CHANGE_FAILS',
      where: at,
      cause: /^Puppet writes it/,
      isMendedBySwitch: true,
      make: () =>
        hands.on(
          victim,
          "sed -i '1i # This file is managed by Puppet; local changes will be lost.' /etc/nginx/conf.d/proxyflip.conf",
        ),
    },
    {
      kind: 'nginx-down',
      by: 'nginx is stopped',
      severity: 'SOME_REQUESTS_FAIL',
      where: at,
      isTakenOut: true,
      isMendedBySwitch: true,
      make: () => hands.on(victim, 'systemctl stop nginx'),
    },
    {
      kind: 'haproxy-down',
      by: 'HAProxy is killed, and so is the timer that starts it again',
      severity: 'NEXT_CHANGE_FAILS',
      where: at,
      isMendedBySwitch: true,
      make: () =>
        hands.on(
          victim,
          'systemctl stop proxyflip-assert.timer; systemctl mask --runtime --quiet proxyflip-haproxy; systemctl kill --signal=KILL proxyflip-haproxy; sleep 1; systemctl stop proxyflip-haproxy; systemctl unmask --runtime --quiet proxyflip-haproxy',
        ),
    },
    {
      kind: 'rule-left',
      by: 'the rule of mode both is loaded again',
      severity: 'CLIENT_ADDRESSES_WRONG',
      where: at,
      isMendedBySwitch: true,
      make: () =>
        hands.on(
          victim,
          `nft -f - <<'EOF'
table ip proxyflip {
  chain prerouting {
    type filter hook prerouting priority mangle; policy accept;
    tcp dport { 80, 81 } tproxy to 127.0.0.1:8079 accept
  }
}
EOF`,
        ),
    },
    {
      kind: 'both-too-long',
      by: 'an instance is put into both, and stays there',
      severity: 'CLIENT_ADDRESSES_WRONG',
      where: at,
      isMendedBySwitch: true,
      make: async () => {
        await receiver({ Operation: 'SetMode', Mode: 'both' });
        await new Promise((resolve) => setTimeout(resolve, (BOTH_SECONDS + 1) * 1000));
      },
    },
    {
      kind: 'rule-missing',
      by: 'it is put into both, and the rules are flushed',
      // nginx goes on taking the kind that it took before, and that is the kind that is sent.
      severity: 'NEXT_CHANGE_FAILS',
      where: at,
      also: ['both-too-long'],
      cause: /flushed/,
      isMendedBySwitch: true,
      make: async () => {
        await receiver({ Operation: 'SetMode', Mode: 'both' });
        await hands.on(victim, 'systemctl stop proxyflip-assert.timer; nft flush ruleset');
        await new Promise((resolve) => setTimeout(resolve, (BOTH_SECONDS + 1) * 1000));
      },
    },
    {
      kind: 'receiver-not-ready',
      by: 'the page that the health check asks for is gone, and the timer that makes it',
      severity: 'SOME_REQUESTS_FAIL',
      where: at,
      isTakenOut: true,
      isMendedBySwitch: true,
      make: () => hands.on(victim, 'systemctl stop proxyflip-assert.timer; rm /run/proxyflip-health/ready'),
    },
    {
      kind: 'chat-not-ready',
      by: 'the chat service is stopped',
      severity: 'SOME_REQUESTS_FAIL',
      where: at,
      isTakenOut: true,
      isMendedBySwitch: true,
      make: () => hands.on(victim, 'systemctl stop proxyflip-chat.socket proxyflip-chat.service'),
    },
    {
      kind: 'receiver-unreachable',
      by: 'the Systems Manager agent goes away',
      severity: 'NEXT_CHANGE_FAILS',
      where: at,
      status: 'UNKNOWN',
      isMendedBySwitch: false,
      make: async () => {
        victim.agentOnline = false;
      },
      after: async () => {
        victim.agentOnline = true;
        await register(victim);
        await waitInService(environment, fleet.instances.length);
      },
    },

    // --- in the traffic ---------------------------------------------------------------------------------------------
    {
      kind: 'broken-headers',
      by: 'a neighbour calls a switched port directly',
      severity: 'SOME_REQUESTS_FAIL',
      where: at,
      cause: /past the load balancer/,
      isMendedBySwitch: false,
      make: async () => {
        await logsCount();
        await direct(hands, neighbour, victim, 'curl/8');
      },
    },
    {
      kind: 'other-load-balancer',
      by: 'an Application Load Balancer gets the instance as a target on a switched port',
      severity: 'SOME_REQUESTS_FAIL',
      where: at,
      cause: /Application or Network Load Balancer/,
      isMendedBySwitch: false,
      make: async () => {
        await logsCount();
        await direct(hands, neighbour, victim, 'ELB-HealthChecker/2.0');
      },
    },
    {
      kind: 'proxy-lines-refused',
      by: 'a second proxy writes a line as well',
      severity: 'SOME_REQUESTS_FAIL',
      where: at,
      cause: /second proxy/,
      isMendedBySwitch: false,
      make: async () => {
        await logsCount();
        // It is told by its share of the requests since the last complete run: so that there are few others.
        await completeCheck();
        await hands.on(
          neighbour,
          `line='PROXY TCP4 192.0.2.7 10.0.101.21 40000 81\\r\\n'
call() { exec 3<>/dev/tcp/${victim.privateIpAddress}/81; printf "$line$line\\r\\n" >&3; read -r -t 2 answer <&3; exec 3<&-; }
for worker in 1 2 3 4; do (for each in $(seq 2000); do call; done) & done; wait`,
        );
      },
    },

    // --- the switch itself ------------------------------------------------------------------------------------------
    {
      kind: 'suppression-unreadable',
      by: 'a suppression is written that cannot be read',
      severity: 'UNTIDY',
      where: 'load balancer',
      isMendedBySwitch: false,
      make: () =>
        hands.shell(
          `aws ssm put-parameter --name /proxyflip/drift/suppressions/${LOAD_BALANCER} --type String --value 'until further notice'`,
        ),
      decide: () => hands.shell(`aws ssm delete-parameter --name /proxyflip/drift/suppressions/${LOAD_BALANCER}`),
    },
    {
      kind: 'switch-unfinished',
      by: 'a switch is cancelled while it measures',
      severity: 'CLIENT_ADDRESSES_WRONG',
      where: 'load balancer',
      isMendedBySwitch: true,
      make: () => cancelWhileMeasuring(environment, fleetParameters(fleet, options), interrupted),
      // It was a way off, and the mend goes it to its end.
      after: () => enable(),
    },
    {
      kind: 'load-balancer-deleted',
      by: 'a load balancer is deleted that was switched',
      severity: 'UNTIDY',
      where: 'load balancer',
      status: 'DELETED',
      loadBalancer: OTHER,
      isMendedBySwitch: false,
      make: async () => {
        if (!environment.elb.loadBalancers.has(OTHER)) await createLoadBalancer(environment, OTHER);
        await enable({ LoadBalancerName: OTHER, EmptyFleet: 'Allow', FleetWaitSeconds: '0' });
        await elb('delete-load-balancer', OTHER);
      },
    },
  ];
}

/** What was dropped so soon after a mend the check puts down to nodes that have not followed. */
const FOLLOW_MS = 61_000;

/** Of the stack: how long `both` may last before it is drift. */
export const BOTH_SECONDS = 5;

/** A tenth of a second apart, so that the log has them one by one. */
async function direct(hands: Hands, from: Instance, to: Instance, agent: string): Promise<void> {
  await hands.on(
    from,
    `for each in 1 2 3; do curl --silent --max-time 2 --user-agent ${agent} http://${to.privateIpAddress}:81/ || true; sleep 0.1; done`,
  );
}

async function cancelWhileMeasuring(
  environment: Environment,
  parameters: Readonly<Record<string, string>>,
  interrupted: AbortSignal,
): Promise<void> {
  const measuring = new AbortController();
  const unsubscribe = environment.ssm.subscribe((event) => {
    if (event.type === 'step' && event.stepName === 'MeasureReceivers') measuring.abort();
  });
  try {
    const AutomationExecutionId = await startRunbook(environment, 'disable', parameters);
    if (!measuring.signal.aborted) await once(measuring.signal, 'abort', { signal: AbortSignal.timeout(120_000) });
    await environment.clients.ssm.send(new StopAutomationExecutionCommand({ AutomationExecutionId, Type: 'Cancel' }));
    await waitForExecution(environment, AutomationExecutionId, interrupted);
  } finally {
    unsubscribe();
  }
}
