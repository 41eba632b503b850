/** The function behind the custom resource on the fake AWS, with a runbook that takes its time and ends as a test says. */
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { createHandler } from '../../../functions/proxy-protocol/handler.ts';
import { FakeAws, type FakeExecution } from '../fake-aws.ts';
import { OWNER } from './events.ts';

export const STATE = '/proxyflip/web';
export const MINUTE = 60_000;
export const FUNCTION_NAME = 'proxy-protocol';

export const SUCCESS = {
  status: 'Success',
  outputs: {
    'Finish.mode': ['proxy'],
    'Finish.instancePorts': ['80=http 81=https'],
    'Finish.policyName': ['proxyflip-proxy-protocol'],
    'Finish.assumed': ['No output available yet because the step is not successfully executed'],
    'Finish.summary': ['PROXY protocol is on.'],
  },
};

export interface Answered {
  readonly Status: string;
  readonly Reason: string;
  readonly PhysicalResourceId: string;
  readonly Data: Readonly<Record<string, string>>;
}

export class Play {
  readonly aws = new FakeAws();
  /** As CloudFormation got them. */
  readonly answers: Answered[] = [];
  readonly logged: Readonly<Record<string, unknown>>[] = [];
  /** Called when an answer is under way. */
  onAnswer = (): void => {};
  /** What each execution does when it is looked at: ends after so many milliseconds of the fake clock, or never. */
  runbook: { durationMs: number; ends: Omit<FakeExecution, 'parameters'> } = { durationMs: 20_000, ends: SUCCESS };

  constructor() {
    const { aws } = this;
    const startedAt = new Map<string, number>();
    aws.onSleep = () => {
      for (const [id, execution] of aws.executions) {
        if (execution.status !== 'InProgress') continue;
        startedAt.set(id, startedAt.get(id) ?? aws.now);
        if (aws.now - (startedAt.get(id) ?? 0) >= this.runbook.durationMs) Object.assign(execution, this.runbook.ends);
      }
    };
  }

  get deps() {
    return {
      ssm: this.aws.ssm,
      lambda: this.aws.lambda,
      clock: this.aws.clock,
      log: (message: string, fields = {}) => void this.logged.push({ message, ...fields }),
      documentName: 'fleet-switch',
      fetch: (async (_url: unknown, init: RequestInit) => {
        this.onAnswer();
        this.answers.push(JSON.parse(new TextDecoder().decode(init.body as Uint8Array)));
        return new Response();
      }) as unknown as typeof fetch,
    };
  }

  /** One invocation of 15 minutes. */
  async invoke(event: CloudFormationCustomResourceEvent): Promise<void> {
    const endsAt = this.aws.now + 15 * MINUTE;
    await createHandler(this.deps)(event, {
      functionName: FUNCTION_NAME,
      getRemainingTimeInMillis: () => endsAt - this.aws.now,
    });
  }

  /** And all that it hands on to. */
  async deliver(event: CloudFormationCustomResourceEvent): Promise<void> {
    await this.invoke(event);
    for (let next = this.aws.invoked.shift(); next !== undefined; next = this.aws.invoked.shift()) {
      await this.invoke(JSON.parse(new TextDecoder().decode(next.Payload)));
    }
  }

  /** The state parameter, of a run that has ended well unless it is said otherwise. */
  setState(given: Readonly<Record<string, unknown>> = {}): void {
    const value = {
      version: 1,
      owner: OWNER,
      executionId: 'execution-1',
      startedBy: 'x',
      direction: 'enable',
      phase: 'done',
      mode: 'proxy',
      startedAt: '',
      instancePorts: '',
      bothPorts: '',
      policyName: '',
      before: {},
      ...given,
    };
    this.aws.parameters.set(STATE, [JSON.stringify(value)]);
  }

  /** Of all executions that the function has started. */
  get directions(): (string | undefined)[] {
    return [...this.aws.executions.values()].map((each) => each.parameters?.Direction?.[0]);
  }

  /** The names of the parameters in which requests are remembered. */
  get remembered(): string[] {
    return [...this.aws.parameters.keys()].filter((name) => name.startsWith('/proxyflip/requests/'));
  }
}
