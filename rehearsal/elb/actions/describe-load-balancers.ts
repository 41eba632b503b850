import type {
  DescribeAccessPointsInput,
  DescribeAccessPointsOutput,
  LoadBalancerDescription,
} from '@aws-sdk/client-elastic-load-balancing';
import { checkBetween, validationError } from '../checks.ts';
import type { LoadBalancer, LoadBalancers } from '../model.ts';

/** Source: API reference, DescribeLoadBalancers: PageSize 1 to 400, default 400; "if there are no more, the string is empty". */
const MAX_PAGE_SIZE = 400;

export const describeLoadBalancers =
  (loadBalancers: LoadBalancers) =>
  (input: DescribeAccessPointsInput): DescribeAccessPointsOutput => {
    const names = input.LoadBalancerNames ?? [];
    const pageSize = input.PageSize ?? MAX_PAGE_SIZE;
    checkBetween('PageSize', pageSize, 1, MAX_PAGE_SIZE);
    const all = names.length > 0 ? names.map((name) => loadBalancers.get(name)) : loadBalancers.all();
    const rest = input.Marker ? all.slice(startOf(input.Marker, all)) : all;
    const next = rest[pageSize];
    return {
      LoadBalancerDescriptions: rest.slice(0, pageSize).map(describe),
      NextMarker: next === undefined ? '' : Buffer.from(next.name).toString('base64url'),
    };
  };

/** One that has been deleted since the page before is passed over, not an error. */
function startOf(marker: string, all: readonly LoadBalancer[]): number {
  const name = Buffer.from(marker, 'base64url').toString();
  if (!/^[A-Za-z0-9-]+$/.test(name)) throw validationError(`Invalid marker '${marker}'`);
  const index = all.findIndex((each) => each.name >= name);
  return index === -1 ? all.length : index;
}

function describe(loadBalancer: LoadBalancer): LoadBalancerDescription {
  const { healthCheck } = loadBalancer;
  const byPort = [...loadBalancer.backendPolicies].sort(([left], [right]) => left - right);
  return {
    LoadBalancerName: loadBalancer.name,
    DNSName: loadBalancer.dnsName,
    CanonicalHostedZoneName: loadBalancer.dnsName,
    ListenerDescriptions: [...loadBalancer.listeners.values()].map((listener) => ({
      Listener: {
        Protocol: listener.protocol,
        LoadBalancerPort: listener.loadBalancerPort,
        InstanceProtocol: listener.instanceProtocol,
        InstancePort: listener.instancePort,
        SSLCertificateId: listener.sslCertificateId,
      },
      PolicyNames: [...listener.policyNames],
    })),
    Policies: {
      AppCookieStickinessPolicies: [],
      LBCookieStickinessPolicies: [],
      OtherPolicies: [...loadBalancer.policies.keys()],
    },
    BackendServerDescriptions: byPort.map(([instancePort, policyNames]) => ({
      InstancePort: instancePort,
      PolicyNames: [...policyNames],
    })),
    AvailabilityZones: loadBalancer.subnets.map((subnet) => subnet.availabilityZone),
    Subnets: loadBalancer.subnets.map((subnet) => subnet.subnetId),
    VPCId: loadBalancer.subnets[0]?.vpcId,
    Instances: [...loadBalancer.instanceIds].map((InstanceId) => ({ InstanceId })),
    HealthCheck: {
      Target: healthCheck.target,
      Interval: healthCheck.intervalSeconds,
      Timeout: healthCheck.timeoutSeconds,
      UnhealthyThreshold: healthCheck.unhealthyThreshold,
      HealthyThreshold: healthCheck.healthyThreshold,
    },
    SecurityGroups: [...loadBalancer.securityGroupIds],
    CreatedTime: loadBalancer.createdTime,
    Scheme: loadBalancer.scheme,
  };
}
