/**
 * What an instance that comes later has to become: `/proxyflip/joining/<load balancer name>/<stack name>`, read by the stack's association
 * that runs the Command document with `Join` (docs/decisions/0007-instances-that-come-later.md).
 */
import { GetParametersByPathCommand, PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { ReceiverMode } from '../shared/switch-state.ts';

export interface Joining {
  readonly mode: ReceiverMode;
  /** `80=http 81=https` */
  readonly instancePorts: string;
  /** `10.0.101.0/24 10.0.102.0/24` */
  readonly trustedCidrs: string;
}

/** As the Command document's parameter `Joining` takes it. */
export const formatJoining = ({ mode, instancePorts, trustedCidrs }: Joining): string =>
  `${mode}; ${instancePorts}; ${trustedCidrs}`.trimEnd();

/**
 * Only where a stack has made the parameter: without its association nobody reads it. A stack that does not own the load balancer has
 * one too, until its creation is rolled back. Written only where it says otherwise. Without instance ports there is nothing to become.
 */
export async function tellJoining(ssm: SSMClient, loadBalancerName: string, joining: Joining): Promise<void> {
  if (joining.instancePorts === '') return;
  const Value = formatJoining(joining);
  // Ten fit on a page, and a load balancer has one stack.
  const { Parameters = [] } = await ssm.send(
    new GetParametersByPathCommand({ Path: `/proxyflip/joining/${loadBalancerName}` }),
  );
  for (const parameter of Parameters) {
    if (parameter.Value === Value) continue;
    await ssm.send(new PutParameterCommand({ Name: parameter.Name, Value, Type: 'String', Overwrite: true }));
  }
}
