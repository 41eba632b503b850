/**
 * What an instance that comes later has to become: `/proxyflip/joining/<load balancer name>`, read by the association that runs
 * the Command document with `Join` (docs/decisions/0007-instances-that-come-later.md).
 */
import { GetParameterCommand, PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { serviceErrorName } from '../shared/errors.ts';
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
 * Only where a stack has made the parameter: without its association nobody reads it. Written only where it says otherwise.
 * Without instance ports there is nothing to become.
 */
export async function tellJoining(ssm: SSMClient, loadBalancerName: string, joining: Joining): Promise<void> {
  if (joining.instancePorts === '') return;
  const Name = `/proxyflip/joining/${loadBalancerName}`;
  const Value = formatJoining(joining);
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
    if (Parameter?.Value === Value) return;
  } catch (error) {
    if (serviceErrorName(error) === 'ParameterNotFound') return;
    throw error;
  }
  await ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));
}
