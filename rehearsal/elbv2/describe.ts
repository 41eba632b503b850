/** How the API shows things. */
import type {
  Action,
  Listener as ListenerShape,
  LoadBalancer as LoadBalancerShape,
  Rule as RuleShape,
  TargetGroup as TargetGroupShape,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ActionConfiguration } from './data-plane.ts';
import type { Listener, LoadBalancer, LoadBalancers, Rule, TargetGroup } from './model.ts';

/** Of eu-central-1, for alias records. Source: AWS General Reference, "Elastic Load Balancing endpoints". */
const HOSTED_ZONE = 'Z215JYRZR1TBD5';

export const describeLoadBalancer = (loadBalancer: LoadBalancer): LoadBalancerShape => ({
  LoadBalancerArn: loadBalancer.arn,
  LoadBalancerName: loadBalancer.name,
  DNSName: loadBalancer.dnsName,
  CanonicalHostedZoneId: HOSTED_ZONE,
  CreatedTime: loadBalancer.createdTime,
  Scheme: loadBalancer.scheme,
  Type: 'application',
  IpAddressType: 'ipv4',
  State: { Code: 'active' },
  VpcId: loadBalancer.subnets[0]?.vpcId,
  SecurityGroups: [...loadBalancer.securityGroupIds],
  AvailabilityZones: loadBalancer.subnets.map((subnet) => ({
    ZoneName: subnet.availabilityZone,
    SubnetId: subnet.subnetId,
    LoadBalancerAddresses: [],
  })),
});

export function describeTargetGroup(all: LoadBalancers, group: TargetGroup): TargetGroupShape {
  const { healthCheck: check } = group;
  const user = all.userOf(group.arn);
  return {
    TargetGroupArn: group.arn,
    TargetGroupName: group.name,
    Protocol: group.protocol,
    ProtocolVersion: 'HTTP1',
    Port: group.port,
    VpcId: group.vpcId,
    TargetType: 'instance',
    IpAddressType: 'ipv4',
    HealthCheckEnabled: true,
    HealthCheckProtocol: check.protocol,
    HealthCheckPort: check.port === undefined ? 'traffic-port' : String(check.port),
    HealthCheckPath: check.path,
    HealthCheckIntervalSeconds: check.intervalSeconds,
    HealthCheckTimeoutSeconds: check.timeoutSeconds,
    HealthyThresholdCount: check.healthyThreshold,
    UnhealthyThresholdCount: check.unhealthyThreshold,
    Matcher: { HttpCode: check.codes },
    LoadBalancerArns: user === undefined ? [] : [user.arn],
  };
}

export const describeListener = (listener: Listener): ListenerShape => ({
  ListenerArn: listener.arn,
  LoadBalancerArn: listener.loadBalancerArn,
  Port: listener.port,
  Protocol: listener.protocol,
  DefaultActions: [describeAction(listener.defaultAction)],
  Certificates: listener.certificateArn === undefined ? undefined : [{ CertificateArn: listener.certificateArn }],
  SslPolicy: listener.sslPolicy,
});

export const describeRule = ({ arn, priority, conditions, action }: Rule): RuleShape => ({
  RuleArn: arn,
  Priority: String(priority),
  IsDefault: false,
  Conditions: conditions.map(({ field, values }) => ({ Field: field, Values: [...values] })),
  Actions: [describeAction(action)],
});

/** Every listener has one, which cannot be named in a rule's actions. Its id is made up of the listener's. */
export const describeDefaultRule = ({ arn, defaultAction }: Listener): RuleShape => ({
  RuleArn: `${arn.replace(':listener/', ':listener-rule/')}/${arn.split('/').at(-1)}`,
  Priority: 'default',
  IsDefault: true,
  Conditions: [],
  Actions: [describeAction(defaultAction)],
});

function describeAction(action: ActionConfiguration): Action {
  switch (action.type) {
    case 'forward':
      return {
        Type: 'forward',
        TargetGroupArn: action.targetGroupArn,
        ForwardConfig: {
          TargetGroups: [{ TargetGroupArn: action.targetGroupArn, Weight: 1 }],
          TargetGroupStickinessConfig: { Enabled: false },
        },
      };
    case 'redirect':
      return {
        Type: 'redirect',
        RedirectConfig: {
          Protocol: action.protocol,
          Host: action.host,
          Port: action.port,
          Path: action.path,
          Query: action.query,
          StatusCode: action.statusCode === 301 ? 'HTTP_301' : 'HTTP_302',
        },
      };
    case 'fixed-response':
      return {
        Type: 'fixed-response',
        FixedResponseConfig: {
          StatusCode: String(action.statusCode),
          ContentType: action.contentType,
          MessageBody: action.body,
        },
      };
    default: {
      const never: never = action;
      throw new Error(`no such action: ${JSON.stringify(never)}`);
    }
  }
}
