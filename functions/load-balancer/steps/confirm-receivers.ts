/** Every instance that is registered now is in this mode, by its own word; else an error that names each and why. */
import { ProxyflipError } from '../../shared/errors.ts';
import { awaitInvocations, unconfirmed } from '../../shared/invocations.ts';
import { requireState, writeState } from '../../shared/switch-state.ts';
import { describeLoadBalancer } from '../classic-elb.ts';
import { awaitOnline } from '../fleet.ts';
import type { InputOf } from '../input.ts';
import type { Deps } from './deps.ts';

const LIST_WAIT_MS = 30_000;
/** The loop asks five times: five minutes for an instance to boot and reach Systems Manager. */
const NEWCOMER_WAIT_MS = 60_000;

export interface ConfirmAnswer {
  /** `no`: instances were registered since the command was sent; send it again. */
  readonly complete: 'yes' | 'no';
  readonly newcomers: string;
  readonly instances: number;
}

export async function confirmReceivers(
  { elb, ssm, clock }: Deps,
  input: InputOf<'ConfirmReceivers'>,
): Promise<ConfirmAnswer> {
  const stored = await requireState(ssm, clock, input.loadBalancerName, input.executionId);
  const { instanceIds } = await describeLoadBalancer(elb, input.loadBalancerName);
  const invocations = await awaitInvocations(ssm, clock, input.commandId, instanceIds, LIST_WAIT_MS);
  const { notAsked, failed } = unconfirmed(instanceIds, invocations, input.mode);
  if (failed.length > 0) throw new ReceiverError(input.mode, instanceIds.length, failed);
  if (input.mode === 'both' && notAsked.length === 0) {
    await writeState(ssm, input.loadBalancerName, stored, { ...stored.state, bothCommandId: input.commandId });
  }
  await awaitOnline(ssm, clock, notAsked, NEWCOMER_WAIT_MS);
  return {
    complete: notAsked.length === 0 ? 'yes' : 'no',
    newcomers: notAsked.join(', '),
    instances: instanceIds.length,
  };
}

export class ReceiverError extends ProxyflipError {
  constructor(mode: string, of: number, failed: readonly { readonly instanceId: string; readonly why: string }[]) {
    super(
      'ERR_RECEIVER',
      `${failed.length} of ${of} instances did not come to receiver mode ${mode}. ${failed
        .slice(0, 5)
        .map(({ instanceId, why }) => `${instanceId}: ${why}`)
        .join('\n')}${failed.length > 5 ? `\n… and ${failed.length - 5} more` : ''}`,
    );
  }
}
