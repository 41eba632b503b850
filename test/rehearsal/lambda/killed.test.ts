import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { NODE24, ROOT } from '../../../rehearsal/paths.ts';
import { isRunning, ROLE, zipOf } from './lambda-harness.ts';

/** The rehearsal's process, with one function that is idle (stopped) and one that never lets go of the processor. */
const CONTROL = `
  import { createLambdaService } from '${ROOT}/rehearsal/lambda/service.ts';
  const [directory, idle, busy] = JSON.parse(process.argv[1]);
  const lambda = createLambdaService({ nodeBinary: process.execPath, endpointUrl: () => 'http://127.0.0.1:9', directory });
  for (const [name, code] of [['idle', idle], ['busy', busy]]) {
    await lambda.actions.CreateFunction({ FunctionName: name, Runtime: 'nodejs24.x', Role: '${ROLE}', Timeout: 60,
      Handler: 'index.handler', Code: { ZipFile: Buffer.from(code, 'base64') } });
  }
  const caller = { accessKeyId: 'AKIATEST', requestId: 'test' };
  await lambda.actions.Invoke({ FunctionName: 'idle' }, caller);
  lambda.actions.Invoke({ FunctionName: 'busy' }, caller);
  const timer = setInterval(() => {
    if (!lambda.logs('busy').some((line) => line.includes('begun'))) return;
    clearInterval(timer);
    console.log(JSON.stringify([...lambda.pids('idle'), ...lambda.pids('busy')]));
  }, 50);
`;

test('a rehearsal that is killed leaves no process of a function, idle or busy', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'pf-killed-'));
  const packages = [
    zipOf('exports.handler = async () => 1'),
    zipOf("exports.handler = async () => { console.log('begun'); for (;;); }"),
  ].map((each) => Buffer.from(each).toString('base64'));
  const control = spawn(NODE24, ['--input-type=module', '-e', CONTROL, JSON.stringify([directory, ...packages])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pids = await new Promise<number[]>((resolve, reject) => {
    createInterface({ input: control.stdout }).on('line', (line) => resolve(JSON.parse(line)));
    control.on('exit', () => reject(new Error('the control process ended by itself')));
  });
  expect(pids).toHaveLength(2);
  expect(pids.map(isRunning)).toEqual([true, true]);

  control.kill('SIGKILL');

  for (let waited = 0; pids.some(isRunning) && waited < 5000; waited += 50) await sleep(50);
  expect(pids.map(isRunning)).toEqual([false, false]);
  await rm(directory, { recursive: true, force: true });
});
