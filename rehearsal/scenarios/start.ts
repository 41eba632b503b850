/** `npm start`: the main job with a live picture of it, and the chat page to look at afterwards. */
import { once } from 'node:events';
import { judged } from './judged.ts';
import type { ScenarioOptions } from './options.ts';
import { switching } from './switch.ts';

export function start(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  const cast = (stage: Parameters<typeof switching>[0]) => switching(stage, {});
  if (options.once) return judged(options, interrupted, cast);
  return judged(options, interrupted, cast, {
    pagePort: options.pagePort,
    afterwards: async () => {
      console.log('\nThe browser will warn: the certificate was made for this run. Ctrl-C ends it all.');
      await once(interrupted, 'abort');
    },
  });
}
