/** Tells the traffic what the receivers may be in while a runbook is at work, so that it knows what each answer has to say. */
import type { Environment } from '../environment.ts';
import type { SsmEvent } from '../ssm/service.ts';
import { RECEIVER_MODES, type ReceiverMode } from '../traffic/client-address.ts';
import type { Traffic } from '../traffic/traffic.ts';
import { receiverMode } from './receiver-mode.ts';

/** @returns a function that ends this */
export function followRunbook(environment: Environment, traffic: Traffic): () => void {
  let current = '';
  return environment.ssm.subscribe((event: SsmEvent) => {
    const modes = modesFrom(event, environment);
    const name = modes?.join(' → ');
    if (name === undefined || name === current) return;
    current = name;
    void traffic.phase(name, modes);
  });
}

/** The modes that some receiver may be in from this event on; undefined = it changes nothing. */
function modesFrom(event: SsmEvent, environment: Environment): readonly ReceiverMode[] | undefined {
  if (event.type === 'execution') return isOver(event.status) ? modesNow(environment) : undefined;
  if (event.type !== 'step' || event.status !== 'InProgress') return undefined;
  switch (event.stepName) {
    case 'PrepareReceivers':
      return [...new Set<ReceiverMode>([...modesNow(environment), 'both'])];
    case 'SetPolicies': {
      const modes = modesNow(environment);
      // A run for a fleet that has no machine here changes none.
      return modes.includes('both') ? ['both'] : modes;
    }
    case 'SettleReceivers':
      return directionOf(event.executionId, environment) === 'disable' ? ['both', 'plain'] : ['both', 'proxy'];
    // On the way back a receiver may be anywhere.
    case 'Undo':
      return RECEIVER_MODES;
    case 'Finish':
      return modesNow(environment);
    default:
      return undefined;
  }
}

const isOver = (status: string): boolean => !['Pending', 'InProgress', 'Cancelling'].includes(status);

function directionOf(executionId: string, environment: Environment): string | undefined {
  return environment.ssm.executions.find((each) => each.AutomationExecutionId === executionId)?.Parameters
    ?.Direction?.[0];
}

/** While nothing changes them. All three where one cannot be read. */
export function modesNow(environment: Environment): readonly ReceiverMode[] {
  const modes = new Set([...environment.world.instances.values()].map(receiverMode));
  return modes.has('unknown') ? RECEIVER_MODES : RECEIVER_MODES.filter((mode) => modes.has(mode));
}
