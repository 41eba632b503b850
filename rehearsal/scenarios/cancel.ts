/**
 * `npm run rehearse -- cancel`: the runbook is cancelled in each of its steps in turn, and in the middle of each shell step, in both
 * directions and on the way back too; all on one fleet under one load. Each run begins with what the one before has left behind, and
 * every few of them one is left to complete.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  ConfigureHealthCheckCommand,
  CreateLoadBalancerListenersCommand,
  DeleteLoadBalancerListenersCommand,
  RegisterInstancesWithLoadBalancerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import type { AutomationExecution } from '@aws-sdk/client-ssm';
import { DeleteParameterCommand, GetParametersCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { ServiceError } from '../aws/service.ts';
import { CREDENTIALS, type Environment } from '../environment.ts';
import { createLoadBalancer, LOAD_BALANCER } from '../fleet.ts';
import { RehearsalError } from '../host/rehearsal-error.ts';
import { DIST } from '../paths.ts';
import type { Required } from '../report/result.ts';
import type { SsmEvent } from '../ssm/service.ts';
import { type CancelPoint, cancelPoints } from './cancel-points.ts';
import { judged, type Play, type Stage } from './judged.ts';
import type { ScenarioOptions } from './options.ts';
import { type Direction, failureOf, runRunbook, startRunbook, waitForExecution } from './runbook.ts';
import { createStack, fleetParameters, stackParameters, waitForStack } from './stack.ts';

/** Into a shell step, so that its script is at work on some instance. Unit: milliseconds. */
const INTO_SHELL_MS = 200;
const GONE = 'gone-since';
const MISFIT = 'health-check-misfit';
const MISFIT_PORT = 85;
/** A run that completes takes a quarter of a minute and wants the other direction next: after each cancellation it would be half an hour. */
const COMPLETE_AFTER = 4;

interface CancelResult {
  readonly direction: Direction;
  readonly step: string;
  readonly where: CancelPoint['where'];
  /** Of the execution. */
  readonly ended: string;
  readonly wasHit: boolean;
  /** What the runbook said about how things are now. */
  readonly said: string;
}

export async function cancel(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  const points = chosen(await readPoints(), options.only);
  return judged(options, interrupted, (stage) => new Cancellations(stage, points));
}

async function readPoints(): Promise<CancelPoint[]> {
  return cancelPoints(JSON.parse(await readFile(path.join(DIST, 'ssm-documents/switch.json'), 'utf8')));
}

function chosen(points: readonly CancelPoint[], only: readonly string[] | undefined): readonly CancelPoint[] {
  if (only === undefined) return points;
  const unknown = only.filter((step) => !points.some((point) => point.step === step));
  if (unknown.length > 0) {
    const steps = [...new Set(points.map(({ step }) => step))].join(', ');
    throw new RehearsalError('ERR_USAGE', `--only names ${unknown.join(', ')}`, `the runbook's steps are ${steps}`);
  }
  return points.filter(({ step }) => only.includes(step));
}

class Cancellations implements Play {
  readonly title = `${LOAD_BALANCER}: the runbook cancelled in every step`;
  readonly required: Partial<Required>;
  readonly #points: readonly CancelPoint[];
  readonly #results: CancelResult[] = [];
  #completed = 0;
  readonly #environment: Environment;
  readonly #interrupted: AbortSignal;
  readonly #parameters: Readonly<Record<string, string>>;
  readonly #stackParameters: Readonly<Record<string, string>>;

  constructor({ environment, fleet, options, interrupted }: Stage, points: readonly CancelPoint[]) {
    // Each run reloads nginx on every machine, some twice: one kept request a run may meet that (seen: 46 in 92 runs).
    this.required = { newConnections: 1_000, webSockets: options.webSockets, resentAtMost: 2 * points.length };
    this.#points = points;
    this.#environment = environment;
    this.#interrupted = interrupted;
    this.#parameters = fleetParameters(fleet, options);
    this.#stackParameters = { ...stackParameters(fleet, options), SwitchFromStack: 'No' };
  }

  details() {
    return { cancellations: this.#results, completed: this.#completed };
  }

  lines(): string[] {
    return [
      ...this.#results.map(
        ({ direction, step, where, ended, wasHit }) =>
          `${wasHit ? 'hit     ' : 'NOT HIT '} ${direction} ${where} ${step}: ${ended}`,
      ),
      `${this.#results.length} cancellations; ${this.#completed} runs in between were left alone, and completed`,
    ];
  }

  shortfalls(): string[] {
    return this.#results
      .filter(({ wasHit }) => !wasHit)
      .map(
        ({ direction, step, where, ended }) => `${direction}: ${where} ${step} was not hit, the run ended in ${ended}`,
      );
  }

  async play(): Promise<string> {
    const points = this.#points;
    await createStack(this.#environment, this.#stackParameters);
    const status = await waitForStack(this.#environment, this.#interrupted);
    if (status !== 'CREATE_COMPLETE') return status;
    const on = (way: CancelPoint['on']) => points.filter((each) => each.on === way);
    // Apart: a run that was cancelled in its last step has done all, and one behind it that is to fail would find nothing to do.
    const rounds = [...inRounds(on('the way')), ...inRounds(on('the way back'))];
    for (const [index, round] of (rounds.length > 0 ? rounds : [[]]).entries()) {
      for (const direction of ['enable', 'disable'] as const) {
        for (const point of round) {
          const run = () => this.#cancel(direction, point);
          await (point.on === 'the way back' ? this.#failing(run) : run());
        }
        await runRunbook(this.#environment, direction, this.#parameters, this.#interrupted);
        this.#completed += 1;
        // Once all is so already, the runbook takes the short way.
        if (index === 0) for (const point of on('the short way')) await this.#cancel(direction, point);
      }
    }
    for (const point of on('the way of a load balancer that is gone')) {
      await this.#gone(() => this.#cancel('disable', point, { LoadBalancerName: GONE }));
    }
    const misfits = on('the way of a health check that does not fit');
    if (misfits.length > 0) {
      await this.#addMisfit();
      for (const point of misfits) await this.#cancel('enable', point, { LoadBalancerName: MISFIT });
    }
    return status;
  }

  /** A load balancer that shares the fleet's instances, on ports of its own, and checks one of those. */
  async #addMisfit(): Promise<void> {
    const { elb } = this.#environment.clients;
    await createLoadBalancer(this.#environment, MISFIT);
    await elb.send(new DeleteLoadBalancerListenersCommand({ LoadBalancerName: MISFIT, LoadBalancerPorts: [443] }));
    await elb.send(new DeleteLoadBalancerListenersCommand({ LoadBalancerName: MISFIT, LoadBalancerPorts: [80] }));
    await elb.send(
      new CreateLoadBalancerListenersCommand({
        LoadBalancerName: MISFIT,
        Listeners: [{ Protocol: 'TCP', LoadBalancerPort: 8085, InstanceProtocol: 'TCP', InstancePort: MISFIT_PORT }],
      }),
    );
    await elb.send(
      new RegisterInstancesWithLoadBalancerCommand({
        LoadBalancerName: MISFIT,
        Instances: [...this.#environment.world.instances.keys()].map((InstanceId) => ({ InstanceId })),
      }),
    );
    const HealthCheck = {
      Target: `HTTP:${MISFIT_PORT}/`,
      Interval: 30,
      Timeout: 5,
      UnhealthyThreshold: 2,
      HealthyThreshold: 2,
    };
    await elb.send(new ConfigureHealthCheckCommand({ LoadBalancerName: MISFIT, HealthCheck }));
  }

  async #cancel(
    direction: Direction,
    { step, where }: CancelPoint,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    this.#interrupted.throwIfAborted();
    let executionId: string | undefined;
    let isAt = false;
    let isStopped = false;
    const stop = (id: string): void => {
      if (isStopped) return;
      isStopped = true;
      try {
        // Past the wire, and past whoever may call it: the step must not have gone on by the time that the call arrives.
        const caller = { accessKeyId: CREDENTIALS.accessKeyId, requestId: id };
        void this.#environment.ssm.actions.StopAutomationExecution?.(
          { AutomationExecutionId: id, Type: 'Cancel' },
          caller,
        );
      } catch {
        // It has ended: seen below, as a step that was not hit.
      }
    };
    const unsubscribe = this.#environment.ssm.subscribe((event: SsmEvent) => {
      if (event.type === 'step' && event.stepName === step) {
        isAt = event.status === 'InProgress';
        executionId = event.executionId;
        if (isAt && where === 'at the beginning of') stop(executionId);
      }
      if (event.type === 'invocation' && event.status === 'InProgress' && isAt && executionId !== undefined) {
        setTimeout(stop, INTO_SHELL_MS, executionId);
      }
    });
    try {
      const id = await startRunbook(this.#environment, direction, { ...this.#parameters, ...parameters });
      const execution = await waitForExecution(this.#environment, id, this.#interrupted);
      const ended = execution.AutomationExecutionStatus ?? '';
      const wasHit =
        ended === 'Cancelled' &&
        (execution.StepExecutions ?? []).some((each) => each.StepName === step && each.StepStatus === 'Cancelled');
      this.#results.push({ direction, step, where, ended, wasHit, said: said(execution) });
    } finally {
      unsubscribe();
    }
  }

  /** The run fails with receivers changed, so that it goes the way back. */
  async #failing(run: () => Promise<void>): Promise<void> {
    let isSetting = false;
    const unsubscribe = this.#environment.ssm.subscribe((event: SsmEvent) => {
      if (event.type === 'step' && event.stepName === 'SetPolicies') isSetting = event.status === 'InProgress';
    });
    const stop = this.#environment.endpoint.intercept({
      before: ({ action }) =>
        isSetting && action === 'DescribeLoadBalancers'
          ? new ServiceError('AccessDenied', `${action} is not allowed to this role`, 403)
          : undefined,
    });
    try {
      await run();
    } finally {
      stop();
      unsubscribe();
    }
  }

  async #gone(run: () => Promise<void>): Promise<void> {
    const { ssm } = this.#environment.clients;
    const Name = `/proxyflip/${GONE}`;
    const Value = JSON.stringify({
      version: 1,
      owner: 'console',
      executionId: '00000000-0000-0000-0000-000000000000',
      startedBy: 'somebody',
      direction: 'enable',
      phase: 'done',
      mode: 'proxy',
      startedAt: new Date().toISOString(),
      instancePorts: '80=http',
      bothPorts: '80=http',
      policyName: 'proxyflip-proxy-protocol',
      before: {},
    });
    await ssm.send(new PutParameterCommand({ Name, Value, Type: 'String' }));
    await run();
    // The step that was cancelled goes on, and may have done the work; then there is nothing that a next run could complete.
    if ((await ssm.send(new GetParametersCommand({ Names: [Name] }))).Parameters?.length === 0) return;
    await runRunbook(this.#environment, 'disable', { ...this.#parameters, LoadBalancerName: GONE }, this.#interrupted);
    await ssm.send(new DeleteParameterCommand({ Name })).catch((error: Error) => {
      if (error.name !== 'ParameterNotFound') throw error;
    });
  }
}

function inRounds(points: readonly CancelPoint[]): CancelPoint[][] {
  const rounds: CancelPoint[][] = [];
  for (let first = 0; first < points.length; first += COMPLETE_AFTER) {
    rounds.push(points.slice(first, first + COMPLETE_AFTER));
  }
  return rounds;
}

function said(execution: AutomationExecution): string {
  const sentences = ['Undo.summary', 'Undone.summary']
    .map((name) => execution.Outputs?.[name]?.[0] ?? '')
    .filter((text) => text !== '' && !text.startsWith('No output available yet'));
  return sentences.length > 0 ? sentences.join(' ') : failureOf(execution);
}
