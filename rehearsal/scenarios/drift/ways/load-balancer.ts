/** What is done to the load balancer, by the AWS CLI. */
import { createLoadBalancer, LOAD_BALANCER } from '../../../fleet.ts';
import { ACCOUNT_ID, REGION } from '../../../world.ts';
import { type Cast, EXCLUDED_PORT, enable, OTHER, type Way } from './way.ts';

const POLICY = 'proxyflip-proxy-protocol';
const CERTIFICATE = `arn:aws:acm:${REGION}:${ACCOUNT_ID}:certificate/chat`;

/** A listener that comes after the switch, is made again, and goes, one way after the other: each mend takes it on as it is. */
const LATER = 8082;
const LATER_PORT = 82;

export function loadBalancerWays(cast: Cast): Way[] {
  const { environment, hands, victims } = cast;
  const elb = (words: string, name = LOAD_BALANCER) => hands.shell(`aws elb ${words} --load-balancer-name ${name}`);
  const setPolicies = (port: number, ...names: string[]) =>
    elb(
      `set-load-balancer-policies-for-backend-server --instance-port ${port} --policy-names ${names.join(' ') || "'[]'"}`,
    );
  const createPolicy = (name: string, value: string) =>
    elb(
      `create-load-balancer-policy --policy-name ${name} --policy-type-name ProxyProtocolPolicyType --policy-attributes AttributeName=ProxyProtocol,AttributeValue=${value}`,
    );
  const addListener = (port: number, instancePort: number, protocol = 'TCP', instanceProtocol = 'TCP') =>
    elb(
      `create-load-balancer-listeners --listeners Protocol=${protocol},LoadBalancerPort=${port},InstanceProtocol=${instanceProtocol},InstancePort=${instancePort}${
        protocol === 'TCP' ? '' : `,SSLCertificateId=${CERTIFICATE}`
      }`,
    );
  const deleteListener = (port: number) => elb(`delete-load-balancer-listeners --load-balancer-ports ${port}`);
  /** Where the way that makes it was not taken. */
  const haveLaterSwitched = async () => {
    if (environment.elb.loadBalancers.get(LOAD_BALANCER).listeners.has(LATER)) return;
    await addListener(LATER, LATER_PORT);
    await enable(cast);
  };

  return [
    {
      kind: 'policy-missing',
      by: 'the policies of an instance port are set to none',
      severity: 'EVERY_REQUEST_FAILS',
      where: 'port 81',
      cause: /this port alone/,
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
        await createPolicy('switched-off-by-hand', 'false');
        await setPolicies(80, POLICY, 'switched-off-by-hand');
      },
    },
    {
      kind: 'policy-unexpected',
      by: 'our policy is put on a port that the switch was told to leave alone',
      severity: 'SOME_REQUESTS_FAIL',
      where: `port ${EXCLUDED_PORT}`,
      isMendedBySwitch: true,
      make: async () => {
        await addListener(8084, EXCLUDED_PORT);
        await setPolicies(EXCLUDED_PORT, POLICY);
      },
      after: () => deleteListener(8084),
    },
    {
      kind: 'policy-foreign',
      by: 'somebody takes a policy of their own instead',
      severity: 'UNTIDY',
      where: 'port 80',
      isMendedBySwitch: false,
      make: async () => {
        await createPolicy('somebody-elses', 'true');
        await setPolicies(80, 'somebody-elses');
      },
    },
    {
      kind: 'policy-doubled',
      by: 'somebody adds a policy of their own',
      severity: 'NEXT_CHANGE_FAILS',
      where: 'port 81',
      isMendedBySwitch: false,
      make: async () => {
        await createPolicy('one-more', 'true');
        await setPolicies(81, POLICY, 'one-more');
      },
    },
    {
      kind: 'policy-without-listener',
      by: 'a listener is deleted, and the policy of its instance port stays',
      severity: 'NEXT_CHANGE_FAILS',
      where: 'port 83',
      cause: /the listener was deleted/,
      isMendedBySwitch: false,
      make: async () => {
        await addListener(8083, 83);
        await setPolicies(83, POLICY);
        await deleteListener(8083);
      },
    },
    {
      kind: 'listener-added',
      by: 'a listener is added, to an instance port of its own',
      severity: 'CLIENT_ADDRESSES_WRONG',
      where: `port ${LATER_PORT}`,
      cause: /added after the switch/,
      isMendedBySwitch: true,
      make: () => addListener(LATER, LATER_PORT),
    },
    {
      kind: 'listener-scheme',
      by: 'a listener is made again, with TLS',
      severity: 'EVERY_REQUEST_FAILS',
      where: `port ${LATER_PORT}`,
      cause: /made again/,
      isMendedBySwitch: true,
      make: async () => {
        await haveLaterSwitched();
        await deleteListener(LATER);
        await addListener(LATER, LATER_PORT, 'SSL');
      },
    },
    {
      kind: 'listener-removed',
      by: 'a listener is deleted',
      severity: 'NEXT_CHANGE_FAILS',
      where: `port ${LATER_PORT}`,
      isMendedBySwitch: true,
      make: async () => {
        await haveLaterSwitched();
        await deleteListener(LATER);
      },
    },
    {
      kind: 'listener-protocol',
      by: 'a listener is made as HTTPS, to a switched port',
      severity: 'EVERY_REQUEST_FAILS',
      where: 'listener 8081',
      cause: /made again/,
      isMendedBySwitch: false,
      make: () => addListener(8081, 81, 'HTTPS', 'HTTP'),
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
      where: `port 80, from ${OTHER}`,
      also: ['instance-shared'],
      cause: new RegExp(OTHER),
      isMendedBySwitch: false,
      make: async () => {
        if (!environment.elb.loadBalancers.has(OTHER)) await createLoadBalancer(environment, OTHER);
        await elb(`register-instances-with-load-balancer --instances ${victims[0].instanceId}`, OTHER);
      },
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
        await enable(cast, {
          LoadBalancerName: OTHER,
          FleetTagValue: 'nobody',
          EmptyFleet: 'Allow',
          FleetWaitSeconds: '0',
          // There is nobody who could say whether its nodes follow.
          MeasureSeconds: '0',
        });
        await elb('delete-load-balancer', OTHER);
      },
    },
  ];
}
