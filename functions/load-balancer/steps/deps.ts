import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { ElasticLoadBalancingClient } from '@aws-sdk/client-elastic-load-balancing';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';

export interface Deps {
  readonly autoScaling: AutoScalingClient;
  readonly elb: ElasticLoadBalancingClient;
  readonly ssm: SSMClient;
  readonly clock: Clock;
  readonly log: Log;
}
