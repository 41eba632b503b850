import { readFileSync } from 'node:fs';
import { RECEIVER_MODES, type ReceiverMode } from '../traffic/client-address.ts';
import type { Instance } from '../world.ts';

/** As the receiver itself keeps it for its boot unit; read past the machine, which is not to be disturbed by watching. */
export function receiverMode({ machine }: Instance): ReceiverMode | 'unknown' {
  try {
    const settings = readFileSync(machine.writtenFile('/etc/proxyflip/receiver.env'), 'utf8');
    const mode = /^SET_MODE='(\w+)'$/m.exec(settings)?.[1];
    return RECEIVER_MODES.find((each) => each === mode) ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
