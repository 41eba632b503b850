/**
 * How every client is made. Describe* calls share one throttling budget per account and Region, and the SDK's three attempts
 * (about 2 s in all) do not outlast a busy one: ten attempts with the SDK's full jitter last about a minute.
 *
 * Nor does the SDK give up a call that is never answered, by default: a step would hang until Lambda ends it after five minutes. An attempt
 * has 10 s; a call that has been repeated four times for it still ends within the minute that the runbook gives a step of its way back.
 */
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { ElasticLoadBalancingClient } from '@aws-sdk/client-elastic-load-balancing';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SSMClient } from '@aws-sdk/client-ssm';

const configuration = {
  maxAttempts: 10,
  // Without the last of them the SDK writes a warning, and goes on waiting.
  requestHandler: { connectionTimeout: 5_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
};

export const autoScalingClient = (): AutoScalingClient => new AutoScalingClient(configuration);
export const elasticLoadBalancingClient = (): ElasticLoadBalancingClient =>
  new ElasticLoadBalancingClient(configuration);
export const systemsManagerClient = (): SSMClient => new SSMClient(configuration);
export const lambdaClient = (): LambdaClient => new LambdaClient(configuration);
export const eventBridgeClient = (): EventBridgeClient => new EventBridgeClient(configuration);
