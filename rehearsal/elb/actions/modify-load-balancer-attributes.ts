import type {
  ModifyLoadBalancerAttributesInput,
  ModifyLoadBalancerAttributesOutput,
} from '@aws-sdk/client-elastic-load-balancing';
import { ServiceError } from '../../aws/service.ts';
import { checkBetween, invalidConfiguration } from '../checks.ts';
import type { Attributes, LoadBalancers } from '../model.ts';
import { describeAttributes } from './describe-load-balancer-attributes.ts';

export const modifyLoadBalancerAttributes =
  (loadBalancers: LoadBalancers) =>
  async (input: ModifyLoadBalancerAttributesInput): Promise<ModifyLoadBalancerAttributesOutput> => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    const { CrossZoneLoadBalancing, ConnectionDraining, ConnectionSettings, AccessLog, AdditionalAttributes } =
      input.LoadBalancerAttributes ?? {};
    if (AccessLog?.Enabled === true) throw invalidConfiguration('Access logs are not in the rehearsal');
    const [additional] = AdditionalAttributes ?? [];
    if (additional !== undefined) {
      throw new ServiceError('LoadBalancerAttributeNotFound', `The rehearsal has no attribute ${additional.Key}`);
    }
    const before = loadBalancer.attributes;
    const after: Attributes = {
      isCrossZone: CrossZoneLoadBalancing?.Enabled ?? before.isCrossZone,
      idleTimeoutSeconds: ConnectionSettings?.IdleTimeout ?? before.idleTimeoutSeconds,
      isDrainingEnabled: ConnectionDraining?.Enabled ?? before.isDrainingEnabled,
      drainingSeconds: ConnectionDraining?.Timeout ?? before.drainingSeconds,
    };
    checkBetween('ConnectionSettings IdleTimeout', after.idleTimeoutSeconds, 1, 4000);
    checkBetween('ConnectionDraining Timeout', after.drainingSeconds, 1, 3600);

    loadBalancer.attributes = after;
    await loadBalancers.apply(loadBalancer);
    return { LoadBalancerName: loadBalancer.name, LoadBalancerAttributes: describeAttributes(after) };
  };
