/** The resource types that the rehearsal has. Any other is refused by name before anything is made. */
import type { IamStore } from '../../iam/store.ts';
import type { ResourceType } from '../resource-type.ts';
import { autoScalingGroup } from './auto-scaling-group.ts';
import { cloudFormationStack, type Settled } from './cloudformation-stack.ts';
import { cloudWatchAlarm } from './cloudwatch-alarm.ts';
import { cloudWatchDashboard } from './cloudwatch-dashboard.ts';
import { type CustomResourceOptions, customResourceTypes } from './custom-resource.ts';
import { ec2InternetGateway } from './ec2-internet-gateway.ts';
import { ec2LaunchTemplate } from './ec2-launch-template.ts';
import { ec2Route } from './ec2-route.ts';
import { ec2RouteTable } from './ec2-route-table.ts';
import { ec2SecurityGroup } from './ec2-security-group.ts';
import { ec2SecurityGroupEgress, ec2SecurityGroupIngress } from './ec2-security-group-rule.ts';
import { ec2Subnet } from './ec2-subnet.ts';
import { ec2SubnetRouteTableAssociation } from './ec2-subnet-route-table-association.ts';
import { ec2Vpc } from './ec2-vpc.ts';
import { ec2VpcGatewayAttachment } from './ec2-vpc-gateway-attachment.ts';
import { elastiCacheReplicationGroup } from './elasticache-replication-group.ts';
import { elastiCacheSubnetGroup } from './elasticache-subnet-group.ts';
import { elbLoadBalancer } from './elb-load-balancer.ts';
import { elbv2Listener } from './elbv2-listener.ts';
import { elbv2ListenerRule } from './elbv2-listener-rule.ts';
import { elbv2LoadBalancer } from './elbv2-load-balancer.ts';
import { elbv2TargetGroup } from './elbv2-target-group.ts';
import { eventsRule } from './events-rule.ts';
import { iamInstanceProfile } from './iam-instance-profile.ts';
import { iamManagedPolicy } from './iam-managed-policy.ts';
import { iamPolicy } from './iam-policy.ts';
import { iamRole } from './iam-role.ts';
import { lambdaEventInvokeConfig } from './lambda-event-invoke-config.ts';
import { lambdaFunction } from './lambda-function.ts';
import { lambdaPermission } from './lambda-permission.ts';
import { logGroup } from './log-group.ts';
import { snsSubscription } from './sns-subscription.ts';
import { snsTopic } from './sns-topic.ts';
import { snsTopicPolicy } from './sns-topic-policy.ts';
import { ssmAssociation } from './ssm-association.ts';
import { ssmDocument } from './ssm-document.ts';
import { ssmParameter } from './ssm-parameter.ts';

export type FindType = (name: string) => ResourceType | undefined;

export function createResourceTypes(iam: IamStore, custom: CustomResourceOptions, settled: Settled): FindType {
  const types = [
    ...customResourceTypes(custom),
    cloudFormationStack(settled),
    lambdaFunction,
    lambdaPermission,
    lambdaEventInvokeConfig,
    iamRole(iam),
    iamPolicy(iam),
    iamManagedPolicy(iam),
    iamInstanceProfile(iam),
    ssmDocument,
    ssmAssociation,
    ssmParameter,
    ec2Vpc,
    ec2Subnet,
    ec2InternetGateway,
    ec2VpcGatewayAttachment,
    ec2RouteTable,
    ec2Route,
    ec2SubnetRouteTableAssociation,
    ec2SecurityGroup,
    ec2SecurityGroupIngress,
    ec2SecurityGroupEgress,
    ec2LaunchTemplate,
    autoScalingGroup,
    elbLoadBalancer,
    elbv2LoadBalancer,
    elbv2TargetGroup,
    elbv2Listener,
    elbv2ListenerRule,
    elastiCacheSubnetGroup,
    elastiCacheReplicationGroup,
    logGroup,
    eventsRule,
    snsTopic,
    snsTopicPolicy,
    snsSubscription,
    cloudWatchAlarm,
    cloudWatchDashboard,
  ];
  return (name) =>
    types.find((type) => (type.name.endsWith('*') ? name.startsWith(type.name.slice(0, -1)) : type.name === name));
}
