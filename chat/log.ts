import { type Logger, pino } from 'pino';
import type { Config } from './config.ts';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** One JSON object a line on standard output, where systemd's journal picks it up. */
export function createLog({ logLevel, instance }: Config): Log {
  return pino({ level: logLevel, base: { instance }, timestamp: pino.stdTimeFunctions.isoTime });
}
