/** A world with machines whose commands run in a directory of this host, and a dispatcher that calls actions in process. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import type { Action, CallRecord, Dispatcher, Service } from '../../../rehearsal/aws/service.ts';
import { ServiceError } from '../../../rehearsal/aws/service.ts';
import type { Security } from '../../../rehearsal/iam/security.ts';
import { createSsmService, type SsmOptions, type SsmService } from '../../../rehearsal/ssm/service.ts';
import { type ExecOptions, type ExecResult, type Instance, type Machine, World } from '../../../rehearsal/world.ts';

const directories: string[] = [];

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** What the agent writes goes below a directory of its own; everything else is as on this host. */
class LocalMachine implements Machine {
  readonly name: string;
  readonly privateIpAddress = '10.0.1.11';
  readonly directory = mkdtempSync(join(tmpdir(), 'proxyflip-ssm-'));
  isOn = true;
  reboots = 0;

  constructor(name: string) {
    directories.push(this.directory);
    this.name = name;
  }

  isRunning(): boolean {
    return this.isOn;
  }

  writtenFile(path: string): string {
    return path;
  }

  async reboot(): Promise<void> {
    this.reboots += 1;
  }

  exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const [file = '', ...args] = command.map((part) => part.replaceAll('/var/lib/amazon', this.directory));
    return new Promise((resolve) => {
      const child = spawn(file, args, {
        cwd: options.cwd ?? this.directory,
        env: { PATH: process.env.PATH, ...options.env },
        detached: true,
      });
      const out: [string, string] = ['', ''];
      child.stdout.on('data', (data) => {
        out[0] += data;
      });
      child.stderr.on('data', (data) => {
        out[1] += data;
      });
      child.stdin.on('error', () => {});
      child.stdin.end(options.stdin ?? '');
      const end = () => child.pid && process.kill(-child.pid, 'SIGKILL');
      const timer = options.timeoutSeconds ? setTimeout(end, options.timeoutSeconds * 1000) : undefined;
      options.signal?.addEventListener('abort', end, { once: true });
      child.on('close', (code) => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', end);
        resolve({ exitCode: code ?? 137, stdout: out[0], stderr: out[1] });
      });
    });
  }
}

export interface LocalInstance extends Instance {
  readonly machine: LocalMachine;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are SDK-shaped and read in many ways by the tests
export type Answer = any;

export interface Account {
  readonly world: World;
  readonly ssm: SsmService;
  readonly dispatcher: Dispatcher;
  readonly instances: LocalInstance[];
  call(action: string, input: unknown): Promise<Answer>;
}

export function createAccount({
  instances: count = 1,
  options = {},
  services = {},
  security,
  instanceSession,
}: {
  instances?: number;
  options?: SsmOptions;
  services?: Readonly<Record<string, Readonly<Record<string, Action>>>>;
  security?: Security;
  instanceSession?: (instanceId: string) => string | undefined;
} = {}): Account {
  const world = new World();
  const instances = Array.from({ length: count }, (_, index): LocalInstance => {
    const instanceId = `i-${String(index + 1).padStart(17, '0')}`;
    return {
      instanceId,
      privateIpAddress: `10.0.1.${11 + index}`,
      availabilityZone: 'eu-central-1a',
      tags: { Fleet: 'web', Name: `web-${index + 1}` },
      machine: new LocalMachine(`web-${index + 1}`),
      agentOnline: true,
    };
  });
  for (const instance of instances) world.instances.set(instance.instanceId, instance);

  const calls: CallRecord[] = [];
  const dispatcher: Dispatcher = {
    calls,
    call: async (signingName, action, input, accessKeyId = 'AKIAEXAMPLE') => {
      const of: Pick<Service, 'actions'> | undefined =
        signingName === 'ssm' ? ssm : services[signingName] && { actions: services[signingName] };
      const found = of?.actions[action];
      calls.push({ at: Date.now(), service: signingName, action, accessKeyId, errorCode: undefined });
      if (!found) throw new ServiceError('UnknownOperationException', `${signingName} has no ${action}`);
      return found(input, { accessKeyId, requestId: 'test' });
    },
  };
  const ssm: SsmService = createSsmService({
    world,
    dispatcher: () => dispatcher,
    ...(security && { security }),
    ...(instanceSession && { instanceSession }),
    options: { lateInvocationMs: 0, deliveryMs: 0, ...options },
  });
  return { world, ssm, dispatcher, instances, call: (action, input) => dispatcher.call('ssm', action, input) };
}

/** Asks until the answer is as wanted; fails with the last one after five seconds. */
export async function until<T>(ask: () => Promise<T> | T, isAsWanted: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + 5000;
  for (;;) {
    const answer = await ask();
    if (isAsWanted(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`still not so after 5 s: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
