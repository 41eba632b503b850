/** The function's own limit on calls, whatever the SDK makes of them. */
import { GetCommandInvocationCommand, SSMClient } from '@aws-sdk/client-ssm';
import { expect, test } from '@jest/globals';
import { createPace, paced } from '../../../functions/drift-check/pace.ts';

test('calls that come at once are let through one by one, evenly, and what nobody used is not saved up', async () => {
  const slept: number[] = [];
  const clock = {
    time: 1_000_000,
    now: () => clock.time,
    sleep: async (ms: number) => {
      slept.push(ms);
    },
  };
  const awaitTurn = createPace(clock, 4);

  await Promise.all([awaitTurn(), awaitTurn(), awaitTurn()]);
  expect(slept).toEqual([250, 500]);

  clock.time += 700;
  await Promise.all([awaitTurn(), awaitTurn()]);
  // The third of before has its turn at 500 and the next one at 750.
  expect(slept).toEqual([250, 500, 50, 300]);

  clock.time += 60_000;
  await Promise.all([awaitTurn(), awaitTurn()]);
  expect(slept).toEqual([250, 500, 50, 300, 250]);
});

test('each attempt of a client waits for its turn and is counted, those that the SDK makes by itself, too', async () => {
  const seen: string[] = [];
  const answers = [500, 200];
  const client = paced(
    new SSMClient({
      region: 'eu-central-1',
      credentials: { accessKeyId: 'A', secretAccessKey: 'S' },
      requestHandler: {
        handle: async () => {
          seen.push('request');
          return { response: { statusCode: answers.shift() ?? 200, headers: {}, body: Buffer.from('{}') } };
        },
      },
    }),
    async () => {
      seen.push('turn');
    },
    (name) => seen.push(name),
  );

  await client.send(new GetCommandInvocationCommand({ CommandId: 'c', InstanceId: 'i' }));

  const attempt = ['turn', 'GetCommandInvocation', 'request'];
  expect(seen).toEqual([...attempt, ...attempt]);
});
