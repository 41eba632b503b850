import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BareMachine, BOOT_LIMIT_MS } from '../../bare-machine.ts';

let bare: BareMachine;
beforeAll(async () => {
  bare = await BareMachine.boot('bookworm');
}, BOOT_LIMIT_MS);
afterAll(() => bare?.[Symbol.asyncDispose](), 60_000);

// As systemd's own end does to every process, now and then late enough to be seen from outside.
test('a command that is stopped as its machine goes down ends with the machine', async () => {
  const running = bare.machine.exec(['sleep', '600']);
  await sleep(1000);
  await bare.shell('pkill -STOP -f "systemd-run.* sleep 60[0]"');

  await bare.machine.reboot();

  expect((await running).exitCode).not.toBe(0);
  expect(await bare.shell('echo up')).toBe('up');
}, 60_000);
