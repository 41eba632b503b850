import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isRunning, type LambdaHarness, ROLE, startLambda, zipOf } from './lambda-harness.ts';

let harness: LambdaHarness;
beforeEach(async () => {
  harness = await startLambda();
});
afterEach(() => harness.close());

describe('the process', () => {
  test.each([
    { module: 'CommonJS', settings: {}, source: 'exports.handler = async (event) => ({ got: event.a })' },
    {
      module: 'ES module',
      settings: { Code: { ZipFile: zipOf('export const handler = async (event) => ({ got: event.a })', 'index.mjs') } },
      source: '',
    },
  ])('runs a handler that is a $module on Node.js 24', async ({ settings, source }) => {
    await harness.create('echo', source, settings);
    expect(await harness.invoke('echo', { a: 'grüße' })).toMatchObject({ failed: false, value: { got: 'grüße' } });
  });

  test("has Lambda's environment and the function's own, and nothing of the host's", async () => {
    process.env.PF_TEST_OF_THE_HOST = 'leaked';
    await harness.create('env', 'exports.handler = async () => ({ version: process.version, env: process.env })', {
      Environment: { Variables: { LOAD_BALANCER: 'web' } },
      MemorySize: 256,
    });

    const { version, env } = (await harness.invoke('env')).value;

    expect(version).toMatch(/^v24\./);
    expect(env).toMatchObject({
      AWS_REGION: 'eu-central-1',
      AWS_LAMBDA_FUNCTION_NAME: 'env',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_ACCESS_KEY_ID: 'ASIA:fleet-FunctionRole-1A2B3C:env',
      _HANDLER: 'index.handler',
      LOAD_BALANCER: 'web',
    });
    expect(Object.keys(env)).toEqual(
      expect.not.arrayContaining(['PF_TEST_OF_THE_HOST', 'HOME', 'USER', 'NODE_OPTIONS']),
    );
  });

  test('is used again for the next invocation, with what the first left in memory', async () => {
    await harness.create('warm', 'let n = 0; exports.handler = async () => ({ n: ++n, pid: process.pid })');

    const first = await harness.invoke('warm');
    const second = await harness.invoke('warm');

    expect(second.value).toEqual({ n: 2, pid: first.value.pid });
  });

  test('runs one invocation at a time: three at once are three processes', async () => {
    await harness.create(
      'slow',
      'exports.handler = async () => { await new Promise((done) => setTimeout(done, 700)); return process.pid; }',
    );

    const answers = await Promise.all([1, 2, 3].map(() => harness.invoke('slow')));

    expect(new Set(answers.map(({ value }) => value)).size).toBe(3);
  });

  test('stands still between invocations: work that was not awaited does not go on', async () => {
    await harness.create(
      'unawaited',
      'let ticks = 0; setInterval(() => { ticks += 1; }, 20); exports.handler = async () => ticks;',
    );
    const { value: before } = await harness.invoke('unawaited');

    await sleep(600);
    const { value: after } = await harness.invoke('unawaited');

    expect(after - before).toBeLessThan(5);
  });

  test('is a new one with the new code after an update', async () => {
    await harness.create('code', 'exports.handler = async () => 1');
    await harness.invoke('code');
    const [oldPid = 0] = harness.lambda.pids('code');

    await harness.call('UpdateFunctionCode', {
      FunctionName: 'code',
      ZipFile: zipOf('exports.handler = async () => 2'),
    });

    expect((await harness.invoke('code')).value).toBe(2);
    expect(isRunning(oldPid)).toBe(false);
  });

  test('does not outlive the service, even where it is in the middle of something', async () => {
    await harness.create('busy', 'exports.handler = () => new Promise(() => setInterval(() => {}, 1000))', {
      Timeout: 60,
    });
    const invocation = harness.invoke('busy');
    await waitUntil(() => harness.lambda.pids('busy').length === 1);
    const [pid = 0] = harness.lambda.pids('busy');

    await harness.lambda.close();

    expect(isRunning(pid)).toBe(false);
    expect(await invocation).toMatchObject({ failed: true, value: { errorType: 'Runtime.ExitError' } });
  });
});

describe('an invocation', () => {
  test('knows its request id, its function and the time that is left', async () => {
    await harness.create(
      'context',
      `exports.handler = async (event, context) => ({
        id: context.awsRequestId, arn: context.invokedFunctionArn, left: context.getRemainingTimeInMillis(),
        trace: process.env._X_AMZN_TRACE_ID })`,
      { Timeout: 30 },
    );

    const { value } = await harness.invoke('context');

    expect(value.id).toBe(harness.lambda.invocations[0]?.requestId);
    expect(value.arn).toBe('arn:aws:lambda:eu-central-1:111122223333:function:context');
    expect(value.left).toBeGreaterThan(25_000);
    expect(value.left).toBeLessThanOrEqual(30_000);
    expect(value.trace).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/);
  });

  test('that logs has its lines in the tail and in the log, between START and REPORT', async () => {
    await harness.create('talk', "exports.handler = async () => { console.log('hello', { a: 1 }); }");

    const { logs, value } = await harness.invoke('talk');

    expect(value).toBeNull();
    expect(logs).toMatch(/^START RequestId: .*\n.*\tINFO\thello { a: 1 }\nEND RequestId: .*\nREPORT RequestId: /);
    expect(harness.lambda.logs('talk').join('\n')).toBe(logs.trim());
  });

  test.each([
    {
      what: 'throws',
      source: "exports.handler = async () => { throw new RangeError('too far'); }",
      value: { errorType: 'RangeError', errorMessage: 'too far' },
    },
    {
      what: 'runs out of time',
      source: 'exports.handler = () => new Promise(() => setInterval(() => {}, 1000))',
      value: {
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringMatching(/Task timed out after 1\.00 seconds$/),
      },
    },
    {
      what: 'never lets go of the processor',
      source: 'exports.handler = async () => { for (;;); }',
      value: { errorType: 'Sandbox.Timedout' },
    },
    {
      what: 'leaves the process',
      source: 'exports.handler = async () => process.exit(3)',
      value: {
        errorType: 'Runtime.ExitError',
        errorMessage: expect.stringMatching(/Runtime exited with error: exit status 3$/),
      },
    },
    {
      what: 'is killed',
      source: "exports.handler = async () => { process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}); }",
      value: { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('signal: killed') },
    },
    {
      what: 'forgets a promise that fails',
      source: "exports.handler = async () => { Promise.reject(new Error('lost')); await new Promise(() => {}); }",
      value: { errorType: 'Runtime.UnhandledPromiseRejection' },
    },
    {
      what: 'cannot be loaded',
      source: 'exports.handler = async () => { return',
      value: { errorType: 'Runtime.UserCodeSyntaxError' },
    },
    {
      what: 'is not exported',
      source: 'exports.other = async () => 1',
      value: { errorType: 'Runtime.HandlerNotFound' },
    },
    {
      what: 'takes a callback, which Node.js 24 does not have any more',
      source: 'exports.handler = (event, context, callback) => callback(null, 1)',
      value: { errorType: 'Runtime.CallbackHandlerDeprecated' },
    },
  ])('that $what is a function error, and the next one still runs', async ({ source, value }) => {
    await harness.create('failing', source, { Timeout: 1 });

    expect(await harness.invoke('failing')).toMatchObject({ failed: true, value });

    await harness.call('UpdateFunctionCode', {
      FunctionName: 'failing',
      ZipFile: zipOf('exports.handler = async () => 1'),
    });
    expect(await harness.invoke('failing')).toMatchObject({ failed: false, value: 1 });
  });

  test('may invoke its own function again: nothing stops the loop', async () => {
    const endpoint = await startInvokeEndpoint(harness);
    await harness.close();
    harness = await startLambda({ endpointUrl: () => endpoint.url });
    endpoint.target = harness;
    await harness.create(
      'again',
      `exports.handler = async ({ hops }) => {
        if (hops > 0) await fetch(process.env.AWS_ENDPOINT_URL, { method: 'POST', body: JSON.stringify({ hops: hops - 1 }) });
      }`,
    );

    await harness.invoke('again', { hops: 20 });
    await waitUntil(() => harness.lambda.invocations.length === 21);
    await harness.lambda.settled();

    expect(harness.lambda.invocations.every(({ failed }) => failed === false)).toBe(true);
    endpoint.close();
  });
});

describe('an asynchronous event', () => {
  const enqueue = (name: string, event: unknown = {}) =>
    harness.call('Invoke', {
      FunctionName: name,
      InvocationType: 'Event',
      Payload: Buffer.from(JSON.stringify(event)),
    });
  const attempts = () => harness.lambda.invocations.map(({ type, attempt, failed }) => ({ type, attempt, failed }));

  test('is accepted before it has run', async () => {
    await harness.create('later', 'exports.handler = async () => 1');

    expect(await enqueue('later')).toEqual({ StatusCode: 202 });
    expect(attempts().filter(({ failed }) => failed !== undefined)).toEqual([]);

    await harness.lambda.settled();
    expect(attempts()).toEqual([{ type: 'Event', attempt: 1, failed: false }]);
  });

  test('that fails comes twice more, with the same request id', async () => {
    await harness.create('failing', "exports.handler = async () => { throw new Error('no'); }");

    await enqueue('failing');
    await harness.lambda.settled();

    expect(attempts().map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(harness.lambda.invocations.map(({ requestId }) => requestId)).size).toBe(1);
  });

  test('comes as often as MaximumRetryAttempts says', async () => {
    await harness.create('failing', "exports.handler = async () => { throw new Error('no'); }");
    await harness.call('PutFunctionEventInvokeConfig', { FunctionName: 'failing', MaximumRetryAttempts: 0 });

    await enqueue('failing');
    await harness.lambda.settled();

    expect(attempts()).toEqual([{ type: 'Event', attempt: 1, failed: true }]);
  });

  test('does not come again once it succeeded', async () => {
    await harness.create(
      'second',
      "let n = 0; exports.handler = async () => { n += 1; if (n === 1) throw new Error('once'); return n; }",
    );

    await enqueue('second');
    await harness.lambda.settled();

    expect(attempts().map(({ failed }) => failed)).toEqual([true, false]);
  });

  test('may come twice although it succeeded, where the fault says so', async () => {
    await harness.close();
    harness = await startLambda({ duplicateEvent: () => true });
    await harness.create('twice', 'exports.handler = async () => 1');

    await enqueue('twice');
    await harness.lambda.settled();

    expect(attempts()).toEqual([
      { type: 'Event', attempt: 1, failed: false },
      { type: 'Event', attempt: 1, failed: false },
    ]);
  });

  test('waits while the reserved concurrency is used up, and a synchronous call is refused', async () => {
    await harness.close();
    harness = await startLambda({ throttleDelayMs: 20 });
    await harness.create(
      'one',
      'exports.handler = async () => { await new Promise((done) => setTimeout(done, 400)); return process.pid; }',
    );
    await harness.call('PutFunctionConcurrency', { FunctionName: 'one', ReservedConcurrentExecutions: 1 });
    const first = harness.invoke('one');
    await waitUntil(() => harness.lambda.pids('one').length === 1);

    await enqueue('one');
    await expect(harness.invoke('one')).rejects.toMatchObject({ code: 'TooManyRequestsException', statusCode: 429 });

    await first;
    await harness.lambda.settled();
    const [synchronous, asynchronous] = harness.lambda.invocations;
    expect(asynchronous?.startedAt).toBeGreaterThanOrEqual(
      (synchronous?.startedAt ?? 0) + (synchronous?.durationMs ?? 0) - 5,
    );
  });
});

describe('the fault that kills around an AWS call', () => {
  const source = `exports.handler = async () => {
    for (const n of [1, 2, 3]) await (await fetch(process.env.AWS_ENDPOINT_URL + '/' + n)).text();
    return 'all three';
  }`;

  test.each([
    { when: 'before' as const, seen: ['/1'] },
    { when: 'after' as const, seen: ['/1', '/2'] },
  ])('$when the second call: AWS saw $seen', async ({ when, seen }) => {
    const calls: (string | undefined)[] = [];
    const server = http.createServer((request, response) => {
      calls.push(request.url);
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await harness.close();
    harness = await startLambda({ endpointUrl: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await harness.create('calls', source, { Timeout: 20 });

    await harness.lambda.killAtCall('calls', { call: 2, when });
    const killed = await harness.invoke('calls');
    const atTheKill = [...calls];
    const next = await harness.invoke('calls');

    expect(killed).toMatchObject({ failed: true, value: { errorType: 'Runtime.ExitError' } });
    expect(atTheKill).toEqual(seen);
    expect(next.value).toBe('all three');
    server.close();
    server.closeAllConnections();
  });

  test('timers that are divided end so much earlier, and as they were once they are whole again', async () => {
    const source = `exports.handler = async () => {
      const at = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 400));
      return Date.now() - at;
    };`;
    harness = await startLambda();
    await harness.create('waits', source);

    await harness.lambda.divideTimers('waits', 40);
    const short = await harness.invoke('waits');
    await harness.lambda.divideTimers('waits', 1);
    const whole = await harness.invoke('waits');

    expect(short.value).toBeLessThan(390);
    expect(whole.value).toBeGreaterThanOrEqual(399);
  });
});

describe('the actions', () => {
  test.each([
    {
      what: 'a function that is not there',
      run: () => harness.call('Invoke', { FunctionName: 'nobody' }),
      error: { code: 'ResourceNotFoundException', statusCode: 404 },
    },
    {
      what: 'a version, as there is $LATEST alone',
      run: async () => {
        await harness.create('f', '');
        await harness.call('Invoke', { FunctionName: 'f', Qualifier: '7' });
      },
      error: { code: 'ResourceNotFoundException' },
    },
    {
      what: 'a name that is taken',
      run: async () => {
        await harness.create('f', '');
        await harness.create('f', '');
      },
      error: { code: 'ResourceConflictException', statusCode: 409 },
    },
    {
      what: 'a payload that is no JSON',
      run: async () => {
        await harness.create('f', '');
        await harness.call('Invoke', { FunctionName: 'f', Payload: Buffer.from('{') });
      },
      error: { code: 'InvalidRequestContentException' },
    },
    {
      what: 'another runtime',
      run: () => harness.create('f', '', { Runtime: 'python3.13' }),
      error: { code: 'InvalidParameterValueException', message: expect.stringContaining('python3.13') },
    },
    {
      what: 'a setting that is not emulated, by its name',
      run: () => harness.create('f', '', { VpcConfig: { SubnetIds: ['subnet-1'] } }),
      error: { message: expect.stringContaining('VpcConfig') },
    },
    {
      what: 'a variable that Lambda keeps for itself',
      run: () => harness.create('f', '', { Environment: { Variables: { AWS_REGION: 'x' } } }),
      error: { message: expect.stringContaining('Reserved keys used in this request: AWS_REGION') },
    },
    {
      what: 'a time of more than 15 minutes',
      run: () => harness.create('f', '', { Timeout: 901 }),
      error: { code: 'ValidationException' },
    },
    {
      what: 'an object that is not in S3',
      run: () => harness.create('f', '', { Code: { S3Bucket: 'b', S3Key: 'k' } }),
      error: { code: 'InvalidParameterValueException', message: expect.stringContaining('GetObject') },
    },
  ])('refuse $what', async ({ run, error }) => {
    await expect(run()).rejects.toMatchObject(error);
  });

  test('take the code from S3', async () => {
    await harness.close();
    harness = await startLambda({
      getObject: async (bucket, key) => zipOf(`exports.handler = async () => '${bucket}/${key}'`),
    });
    await harness.create('f', '', { Code: { S3Bucket: 'artifacts', S3Key: 'a/b.zip' } });

    expect((await harness.invoke('f')).value).toBe('artifacts/a/b.zip');
  });

  test.each(['f', 'f:$LATEST', 'arn:aws:lambda:eu-central-1:111122223333:function:f', '111122223333:function:f'])(
    'find the function as %s',
    async (name) => {
      await harness.create('f', '');
      expect(await harness.call('GetFunction', { FunctionName: name })).toMatchObject({
        Configuration: { FunctionName: 'f', State: 'Active', Role: ROLE, Timeout: 3, MemorySize: 128 },
      });
    },
  );
});

async function waitUntil(condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    if (condition()) return;
    await sleep(20);
  }
  throw new Error('the condition did not become true within 10 s');
}

/** An endpoint that turns each request into an asynchronous invocation of `again`. */
async function startInvokeEndpoint(first: LambdaHarness) {
  const endpoint = { url: '', target: first, close: () => {} };
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    await endpoint.target.call('Invoke', {
      FunctionName: 'again',
      InvocationType: 'Event',
      Payload: Buffer.concat(chunks),
    });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  endpoint.close = () => {
    server.close();
    server.closeAllConnections();
  };
  return endpoint;
}
