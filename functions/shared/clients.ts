/**
 * How every client is made. Describe* calls share one throttling budget per account and Region, and the SDK's three attempts
 * (about 2 s in all) do not outlast a busy one: ten attempts with the SDK's full jitter last about a minute.
 */
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { ElasticLoadBalancingClient } from '@aws-sdk/client-elastic-load-balancing';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SSMClient } from '@aws-sdk/client-ssm';

const configuration = { maxAttempts: 10 };

export const autoScalingClient = (): AutoScalingClient => new AutoScalingClient(configuration);
export const elasticLoadBalancingClient = (): ElasticLoadBalancingClient =>
  new ElasticLoadBalancingClient(configuration);
export const systemsManagerClient = (): SSMClient => new SSMClient(configuration);
export const lambdaClient = (): LambdaClient => new LambdaClient(configuration);
export const eventBridgeClient = (): EventBridgeClient => new EventBridgeClient(configuration);
