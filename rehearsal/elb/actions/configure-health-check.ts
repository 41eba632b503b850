import type { ConfigureHealthCheckInput, ConfigureHealthCheckOutput } from '@aws-sdk/client-elastic-load-balancing';
import { parseHealthCheck } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';

export const configureHealthCheck =
  (loadBalancers: LoadBalancers) =>
  async (input: ConfigureHealthCheckInput): Promise<ConfigureHealthCheckOutput> => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    loadBalancer.healthCheck = parseHealthCheck(input.HealthCheck ?? {});
    await loadBalancers.apply(loadBalancer);
    return { HealthCheck: input.HealthCheck };
  };
