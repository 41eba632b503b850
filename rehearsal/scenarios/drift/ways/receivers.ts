/** What is done to an instance: by a shell on it, by the Command document past the runbook, and to its agent. */
import { INSTANCE_PORTS, LOAD_BALANCER, waitInService } from '../../../fleet.ts';
import { BOTH_SECONDS, type Cast, type Way } from './way.ts';

/** The timer that would put back what is made here, and the run of it that may be on its way. */
const STOP_ASSERTING = 'systemctl stop proxyflip-assert.timer proxyflip-assert.service';
const BOTH_RIPE_MS = (BOTH_SECONDS + 1) * 1000;

const RULE = `table ip proxyflip {
  chain prerouting {
    type filter hook prerouting priority mangle; policy accept;
    tcp dport { 80, 81 } tproxy to 127.0.0.1:8079 accept
  }
}`;

export function receiverWays({ environment, fleet, hands, victims }: Cast): Way[] {
  const [one, two] = victims;
  const trusted = [...environment.world.subnets.values()].map(({ cidrBlock }) => cidrBlock).join(' ');
  const receiver = (instance: typeof one, parameters: Readonly<Record<string, string>>) =>
    hands.receiver(instance, { InstancePorts: INSTANCE_PORTS, TrustedCidrs: trusted, ...fleet.chat, ...parameters });

  return [
    {
      kind: 'receiver-mode',
      by: 'the Command document is run on one instance',
      severity: 'SOME_REQUESTS_FAIL',
      where: two.instanceId,
      cause: /outside of the runbook/,
      isMendedBySwitch: true,
      make: () => receiver(two, { Operation: 'SetMode', Mode: 'plain' }),
    },
    {
      kind: 'receiver-settings',
      by: 'the same, with a network that is to be believed',
      severity: 'CLIENT_ADDRESSES_WRONG',
      where: two.instanceId,
      isMendedBySwitch: true,
      make: () => receiver(two, { Operation: 'SetMode', Mode: 'proxy', TrustedCidrs: '10.0.0.0/8' }),
    },
    {
      kind: 'receiver-missing',
      by: 'the receiver is taken off an instance',
      severity: 'SOME_REQUESTS_FAIL',
      where: one.instanceId,
      isTakenOut: true,
      isMendedBySwitch: true,
      make: async () => {
        await receiver(one, { Operation: 'SetMode', Mode: 'plain' });
        await hands.receiver(one, { Operation: 'Uninstall' });
      },
    },
    {
      kind: 'receiver-files',
      by: 'Puppet writes a managed file again',
      severity: 'NEXT_CHANGE_FAILS',
      where: two.instanceId,
      cause: /^Puppet writes it/,
      isMendedBySwitch: true,
      make: () =>
        hands.on(
          two,
          "sed -i '1i # This file is managed by Puppet; local changes will be lost.' /etc/nginx/conf.d/proxyflip.conf",
        ),
    },
    {
      kind: 'nginx-down',
      by: 'nginx is stopped',
      severity: 'SOME_REQUESTS_FAIL',
      where: two.instanceId,
      isTakenOut: true,
      isMendedBySwitch: true,
      make: () => hands.on(two, 'systemctl stop nginx'),
    },
    {
      kind: 'haproxy-down',
      by: 'HAProxy is killed, and so is the timer that starts it again',
      severity: 'NEXT_CHANGE_FAILS',
      where: two.instanceId,
      isMendedBySwitch: true,
      make: () =>
        hands.on(
          two,
          `${STOP_ASSERTING}; systemctl mask --runtime --quiet proxyflip-haproxy; systemctl kill --signal=KILL proxyflip-haproxy; sleep 1; systemctl stop proxyflip-haproxy; systemctl unmask --runtime --quiet proxyflip-haproxy`,
        ),
    },
    {
      kind: 'rule-left',
      by: 'the rule of mode both is loaded again',
      severity: 'CLIENT_ADDRESSES_WRONG',
      where: one.instanceId,
      isMendedBySwitch: true,
      make: () => hands.on(one, `nft -f - <<'EOF'\n${RULE}\nEOF`),
    },
    {
      kind: 'both-too-long',
      by: 'an instance is put into both, and stays there',
      severity: 'CLIENT_ADDRESSES_WRONG',
      where: two.instanceId,
      ripeMs: BOTH_RIPE_MS,
      isMendedBySwitch: true,
      make: () => receiver(two, { Operation: 'SetMode', Mode: 'both' }),
    },
    {
      kind: 'rule-missing',
      by: 'it is put into both, and the rules are flushed',
      // nginx goes on taking the kind that it took before, and that is the kind that is sent.
      severity: 'NEXT_CHANGE_FAILS',
      where: one.instanceId,
      also: ['both-too-long'],
      cause: /flushed/,
      ripeMs: BOTH_RIPE_MS,
      isMendedBySwitch: true,
      make: async () => {
        await receiver(one, { Operation: 'SetMode', Mode: 'both' });
        await hands.on(one, `${STOP_ASSERTING}; nft flush ruleset`);
      },
    },
    {
      kind: 'receiver-not-ready',
      by: 'the page that the health check asks for is gone, and the timer that makes it',
      severity: 'SOME_REQUESTS_FAIL',
      where: one.instanceId,
      isTakenOut: true,
      isMendedBySwitch: true,
      make: () => hands.on(one, `${STOP_ASSERTING}; rm /run/proxyflip-health/ready`),
    },
    {
      kind: 'chat-not-ready',
      by: 'the chat service is stopped',
      severity: 'SOME_REQUESTS_FAIL',
      where: one.instanceId,
      isTakenOut: true,
      isMendedBySwitch: true,
      make: () => hands.on(one, 'systemctl stop proxyflip-chat.socket proxyflip-chat.service'),
    },
    {
      kind: 'receiver-unreachable',
      by: 'the Systems Manager agent goes away',
      severity: 'NEXT_CHANGE_FAILS',
      where: two.instanceId,
      status: 'UNKNOWN',
      isMendedBySwitch: false,
      make: async () => {
        two.agentOnline = false;
      },
      after: async () => {
        two.agentOnline = true;
        await hands.shell(
          `aws elb register-instances-with-load-balancer --load-balancer-name ${LOAD_BALANCER} --instances ${two.instanceId}`,
        );
        await waitInService(environment, fleet.instances.length);
      },
    },
  ];
}
