import { readFileSync } from 'node:fs';
import { INSTANCE_PORTS } from '../fleet.ts';
import { RECEIVER_MODES, type ReceiverMode } from '../traffic/client-address.ts';
import type { Instance } from '../world.ts';

/** Where a receiver keeps its mode: on an instance for its boot unit, in a container for HAProxy, with Beanstalk for the next boot. */
const MODE_FILES = [
  { file: '/etc/proxyflip/receiver.env', mode: /^SET_MODE='(\w+)'$/m },
  { file: '/run/proxyflip/mode.map', mode: /^mode (\w+)$/m },
  { file: '/var/lib/proxyflip/mode', mode: /^\w+ (\w+)$/m },
];

/** As the receiver itself keeps it; read past the machine, which is not to be disturbed by watching. */
export function receiverMode({ machine }: Instance): ReceiverMode | 'unknown' {
  for (const { file, mode } of MODE_FILES) {
    try {
      const [, kept] = mode.exec(readFileSync(machine.writtenFile(file), 'utf8')) ?? [];
      return RECEIVER_MODES.find((each) => each === kept) ?? 'unknown';
    } catch {
      // It is not that kind of receiver.
    }
  }
  return 'unknown';
}

/** What a new connection meets there: where somebody has made nginx strict past the receiver, that and not what it was told. */
export function modeMet(instance: Instance): ReceiverMode | 'unknown' {
  const mode = receiverMode(instance);
  return mode === 'plain' && isStrict(instance) ? 'proxy' : mode;
}

function isStrict({ machine }: Instance): boolean {
  const port = Number.parseInt(INSTANCE_PORTS, 10);
  try {
    const listen = readFileSync(machine.writtenFile(`/etc/nginx/proxyflip/listen/${port}.conf`), 'utf8');
    return new RegExp(`^listen ${port} .*proxy_protocol;`, 'm').test(listen);
  } catch {
    return false;
  }
}
