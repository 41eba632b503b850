/** The check on the fake AWS, as Lambda would run it. */
import type { CheckAnswer } from '../../../functions/drift-check/finding.ts';
import { createHandler } from '../../../functions/drift-check/handler.ts';
import { POLICY_NAME } from '../../../functions/shared/policies.ts';
import { FakeAws, type FakeLoadBalancer, proxyPolicy } from '../fake-aws.ts';
import { receiver, state } from './situations.ts';

/** The answer, as a runbook selects it. */
export type Answer = CheckAnswer & { readonly Payload: object };

export class Driver {
  readonly aws = new FakeAws();
  /** Lines of metrics. */
  readonly printed: string[] = [];
  readonly logged: object[] = [];

  constructor() {
    this.aws.now = Date.parse('2026-11-21T12:00:00Z');
    this.aws.answersTo = () => receiver();
  }

  remember(name: string, value: object): void {
    this.aws.parameters.set(name, [JSON.stringify(value)]);
  }

  /** A load balancer that was switched, with the instance `i-<name>`. */
  addSwitched(name: string): FakeLoadBalancer {
    this.remember(`/proxyflip/${name}`, state());
    return this.aws.addLoadBalancer(name, {
      instanceIds: [this.aws.addInstance(`i-${name}`)],
      policies: [proxyPolicy(POLICY_NAME)],
      backend: { 80: [POLICY_NAME], 81: [POLICY_NAME] },
    });
  }

  check(event: object = {}, remainingMs = 900_000): Promise<Answer> {
    const { aws } = this;
    const endsAt = aws.now + remainingMs;
    const handler = createHandler({
      elb: aws.elb,
      ssm: aws.ssm,
      events: aws.eventBridge,
      clock: aws.clock,
      log: (message, fields) => this.logged.push({ message, ...fields }),
      print: (line) => this.printed.push(line),
      takeCalls: () => ({ DescribeTags: 1 }),
      stackName: 'proxyflip',
      inspectDocument: 'proxyflip-inspect',
      switchDocument: 'proxyflip-switch',
      bothSeconds: 3600,
    });
    return handler(event, { getRemainingTimeInMillis: () => endsAt - aws.now }) as Promise<Answer>;
  }

  count(action: string): number {
    return this.inputs(action).length;
  }

  /** Of every call of this action. */
  inputs(action: string): Readonly<Record<string, unknown>>[] {
    return this.aws.calls.filter((call) => call.action === action).map(({ input }) => input);
  }
}

/** `[name, status, kinds]` of each load balancer. */
export const tell = (answer: CheckAnswer) =>
  answer.loadBalancers.map(({ name, status, findings }) => [name, status, findings.map(({ kind }) => kind)]);
