/** A Lambda service in a directory of its own, and functions from source text. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CallContext } from '../../../rehearsal/aws/service.ts';
import { createLambdaService, type LambdaOptions, type LambdaService } from '../../../rehearsal/lambda/service.ts';
import { writeZip } from '../../../rehearsal/lambda/zip.ts';
import { NODE24 } from '../../../rehearsal/paths.ts';

export const ROLE = 'arn:aws:iam::111122223333:role/fleet-FunctionRole-1A2B3C';

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where it is not so
type Answer = any;

const CALL: CallContext = { accessKeyId: 'AKIATEST', requestId: 'test' };

export interface LambdaHarness {
  readonly lambda: LambdaService;
  call(action: string, input: Record<string, unknown>): Promise<Answer>;
  /** The whole bundle is one file, `index.js` unless named otherwise. */
  create(name: string, source: string, settings?: Record<string, unknown>): Promise<unknown>;
  invoke(name: string, event?: unknown): Promise<{ failed: boolean; value: Answer; logs: string }>;
  close(): Promise<void>;
}

export async function startLambda(options: Partial<LambdaOptions> = {}): Promise<LambdaHarness> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pf-lambda-'));
  const lambda = createLambdaService({
    nodeBinary: NODE24,
    endpointUrl: () => 'http://127.0.0.1:9',
    directory,
    retryDelaysMs: [20, 40],
    ...options,
  });
  const call = async (action: string, input: Record<string, unknown>): Promise<Answer> => {
    const run = lambda.actions[action];
    if (run === undefined) throw new Error(`no action ${action}`);
    return run(input, CALL);
  };
  return {
    lambda,
    call,
    create: (name, source, settings = {}) =>
      call('CreateFunction', {
        FunctionName: name,
        Runtime: 'nodejs24.x',
        Role: ROLE,
        Handler: 'index.handler',
        Code: { ZipFile: zipOf(source) },
        ...settings,
      }),
    async invoke(name, event = {}) {
      const answer = await call('Invoke', {
        FunctionName: name,
        LogType: 'Tail',
        Payload: Buffer.from(JSON.stringify(event)),
      });
      return {
        failed: answer.FunctionError !== undefined,
        value: JSON.parse(Buffer.from(answer.Payload).toString()),
        logs: Buffer.from(answer.LogResult, 'base64').toString(),
      };
    },
    async close() {
      await lambda.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function zipOf(source: string, name = 'index.js'): Uint8Array {
  return writeZip([{ name, data: Buffer.from(source) }]);
}

export function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}
