/**
 * `npm run rehearse -- drift`: a switched fleet under traffic is made to differ in every way that the check knows. Each is found and
 * named, mended by the command that is printed, and in sync again; then the same once more, mended by remediation alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import type { Finding, LoadBalancerResult } from '../../../functions/drift-check/finding.ts';
import type { Environment } from '../../environment.ts';
import { type Fleet, LOAD_BALANCER, waitInService } from '../../fleet.ts';
import { AWS_CLI, requirePackages } from '../../host/packages.ts';
import type { RehearsalResult, Required } from '../../report/result.ts';
import { RECEIVER_MODES } from '../../traffic/client-address.ts';
import type { Traffic } from '../../traffic/traffic.ts';
import { judged, type Play, type Stage } from '../judged.ts';
import type { ScenarioOptions } from '../options.ts';
import { createStack, stackParameters, updateStack, waitForStack } from '../stack.ts';
import { beyondDrift, DRIFT_PHASE } from './beyond-drift.ts';
import { check, resource } from './check.ts';
import { Hands } from './hands.ts';
import { BOTH_SECONDS, type Way, ways } from './ways.ts';

export async function drift(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  await requirePackages([AWS_CLI], console.log);
  return judged(options, interrupted, (stage) => new Drift(stage));
}

/** One drift, or one part of the run, and what was not as it has to be. */
interface Deed {
  readonly what: string;
  /** What the check said first, in words. */
  said: string;
  /** The command that was run as it was printed. */
  mend: string;
  readonly wrong: string[];
}

/** After a mend, how long the check may take to agree: the health check, and the logs that are read. */
const IN_SYNC_LIMIT_MS = 90_000;
const REMEDIATION_LIMIT_MS = 180_000;
/** How long clients are looked at before the next thing is done. */
const SEEN_MS = 1_000;
/** Mended twice within a day, and there again. */
const BRAKE = 3;

class Drift implements Play {
  readonly title = `${LOAD_BALANCER}: everything that can differ`;
  readonly required: Partial<Required>;
  readonly #environment: Environment;
  readonly #fleet: Fleet;
  readonly #options: ScenarioOptions;
  readonly #interrupted: AbortSignal;
  readonly #hands: Hands;
  readonly #ways: readonly Way[];
  readonly #parameters: Readonly<Record<string, string>>;
  readonly #deeds: Deed[] = [];
  #traffic: Traffic | undefined;

  constructor({ environment, fleet, options, interrupted }: Stage) {
    if (fleet.chat === undefined) throw new Error('drift needs a fleet with the chat service');
    this.required = { newConnections: 1_000, webSockets: options.webSockets };
    this.#environment = environment;
    this.#fleet = fleet;
    this.#options = options;
    this.#interrupted = interrupted;
    this.#hands = new Hands(environment, interrupted);
    const all = ways({
      environment,
      fleet: { ...fleet, chat: fleet.chat },
      options,
      interrupted,
      hands: this.#hands,
      completeCheck: () => this.#scheduledCheck(),
    });
    this.#ways = all.filter(({ kind }) => options.only?.includes(kind) ?? true);
    this.#parameters = {
      ...stackParameters(fleet, options),
      BothSeconds: String(BOTH_SECONDS),
      // Longer than a run without remediation takes; where it is due it is run, and not waited for.
      DriftCheckSchedule: 'rate(20 minutes)',
    };
  }

  beyond(result: RehearsalResult): RehearsalResult {
    return beyondDrift(result);
  }

  details() {
    return { drift: this.#deeds };
  }

  lines(): string[] {
    return this.#deeds.map(lineOf);
  }

  shortfalls(): string[] {
    return this.#deeds.flatMap(({ what, wrong }) => wrong.map((each) => `${what}: ${each}`));
  }

  async play(traffic: Traffic): Promise<string> {
    this.#traffic = traffic;
    await createStack(this.#environment, this.#parameters);
    const status = await waitForStack(this.#environment, this.#interrupted);
    if (status !== 'CREATE_COMPLETE') return status;
    await this.#deed('a healthy fleet', (deed) => this.#healthy(deed));
    for (const way of this.#ways) await this.#deed(`${way.kind}, as ${way.by}`, (deed) => this.#byHand(way, deed));
    await this.#deed('a check that stops', (deed) => this.#stopped(deed));
    await updateStack(this.#environment, { ...this.#parameters, Remediation: 'Automatic' });
    const updated = await waitForStack(this.#environment, this.#interrupted);
    if (updated !== 'UPDATE_COMPLETE') return updated;
    const mendable = this.#ways.filter(({ isMendedBySwitch }) => isMendedBySwitch);
    for (const way of mendable) {
      await this.#deed(`${way.kind}, by remediation`, (deed) => this.#byRemediation(way, deed));
    }
    const [first] = mendable;
    if (first !== undefined && (this.#options.only?.includes('fought-over') ?? true)) {
      await this.#deed(`${first.kind}, which somebody undoes`, (deed) => this.#foughtOver(first, deed));
    }
    await this.#deed('what the check has called', (deed) => this.#called(deed));
    return updated;
  }

  async #deed(what: string, run: (deed: Deed) => Promise<void>): Promise<void> {
    this.#interrupted.throwIfAborted();
    const deed: Deed = { what, said: '', mend: '', wrong: [] };
    this.#deeds.push(deed);
    try {
      await run(deed);
    } catch (error) {
      this.#interrupted.throwIfAborted();
      deed.wrong.push((error as Error).message);
    }
    // It takes a quarter of an hour; on a terminal there is the picture.
    if (process.stdout.isTTY !== true) console.log([lineOf(deed), ...deed.wrong].join('\n  - '));
  }

  /** No finding, no event, and no message, however often it is asked. */
  async #healthy(deed: Deed): Promise<void> {
    await this.#scheduledCheck();
    const events = this.#driftEvents().length;
    for (let round = 0; round < this.#options.checks; round += 1) {
      this.#interrupted.throwIfAborted();
      const answer = await check(this.#environment, LOAD_BALANCER);
      if (answer.status !== 'IN_SYNC') deed.wrong.push(`check ${round + 1}: ${inWords(answer)}`);
    }
    const told = this.#driftEvents().length - events;
    if (told > 0) deed.wrong.push(`${told} events, although nothing changed`);
    const { refusedMetrics } = this.#environment.monitoring.cloudWatch;
    if (refusedMetrics.length > 0) deed.wrong.push(`metrics that CloudWatch drops: ${refusedMetrics[0]}`);
    deed.said = `IN_SYNC in ${this.#options.checks} checks under load`;
  }

  async #byHand(way: Way, deed: Deed): Promise<void> {
    const { loadBalancer = LOAD_BALANCER } = way;
    const events = this.#driftEvents(loadBalancer).length;
    const found = await this.#make(way, deed, () => check(this.#environment, loadBalancer));
    deed.mend = found?.mend ?? '';
    if (way.decide === undefined && deed.mend !== '') await this.#mend(deed, way);
    else await way.decide?.();
    await this.#untilInSync(way, deed);
    const told = this.#driftEvents(loadBalancer).length - events;
    if (told !== 2) deed.wrong.push(`${told} events for one change and its mend`);
    await this.#settle();
    await way.after?.();
    await this.#takeBack(way, deed);
  }

  /** Whoever asks meanwhile is told that a switch is at work. */
  async #mend(deed: Deed, { loadBalancer = LOAD_BALANCER }: Way): Promise<void> {
    const before = await this.#switchedBy(loadBalancer);
    let isOver = false;
    const mended = this.#hands.mend(deed.mend).finally(() => {
      isOver = true;
    });
    if (!deed.mend.includes('start-automation-execution')) return mended;
    mended.catch(() => {});
    while (!isOver && (await this.#switchedBy(loadBalancer)) === before) await sleep(200);
    const { status, why } = await check(this.#environment, loadBalancer).catch((): Partial<LoadBalancerResult> => ({}));
    // It may have come to its end meanwhile, and then says so, or that there is nothing left to check.
    if (status === 'MODIFIED' && !isOver) deed.wrong.push(`while it was mended: ${status} ${why}`);
    return mended;
  }

  /** The execution that has the load balancer's state; undefined = there is none. */
  async #switchedBy(loadBalancer: string): Promise<string | undefined> {
    const { ssm } = this.#environment.clients;
    const asked = ssm.send(new GetParameterCommand({ Name: `/proxyflip/${loadBalancer}` }));
    const { Parameter } = await asked.catch(() => ({ Parameter: undefined }));
    return Parameter?.Value === undefined ? undefined : JSON.parse(Parameter.Value).executionId;
  }

  async #byRemediation(way: Way, deed: Deed): Promise<void> {
    const from = this.#environment.monitoring.events.events.length;
    await this.#make(way, deed, async () => {
      await this.#scheduledCheck();
      return this.#lastTold();
    });
    await this.#untilMended(from);
    await this.#untilInSync(way, deed);
    await this.#settle();
    await way.after?.();
    await this.#takeBack(way, deed);
  }

  /** It was mended once by now. */
  async #foughtOver(way: Way, deed: Deed): Promise<void> {
    for (let time = 2; time < BRAKE; time += 1) await this.#byRemediation(way, deed);
    const from = this.#environment.monitoring.events.events.length;
    await this.#make(way, deed, async () => {
      await this.#scheduledCheck();
      return this.#lastTold();
    });
    const outcome = await this.#remediationOutcome(from, ['left alone', 'mended', 'failed']);
    if (outcome !== 'left alone') deed.wrong.push(`remediation has ${outcome} it`);
    const answer = await check(this.#environment, LOAD_BALANCER);
    deed.said = inWords(answer);
    const kinds = answer.findings.map(({ kind }) => kind);
    if (!kinds.includes('fought-over')) deed.wrong.push(`no finding says fought-over: ${kinds.join(', ')}`);
    deed.mend = answer.findings.find(({ kind }) => kind === way.kind)?.mend ?? '';
    await this.#hands.mend(deed.mend);
    await this.#untilInSync(way, deed);
    await this.#settle();
  }

  /** Make it, and hold what the check says against what it has to say. */
  async #make(way: Way, deed: Deed, ask: () => Promise<LoadBalancerResult>): Promise<Finding | undefined> {
    await this.#traffic?.phase(`${DRIFT_PHASE}${way.kind}`, RECEIVER_MODES);
    await way.make();
    const answer = await ask();
    deed.said = inWords(answer);
    const { kind, where, severity, isTakenOut = false, also = [], cause, status = 'MODIFIED' } = way;
    const found = answer.findings.find((each) => each.kind === kind && each.where === where);
    if (answer.status !== status) deed.wrong.push(`status ${answer.status}, not ${status}`);
    if (found === undefined) deed.wrong.push(`not found at ${where}: ${inWords(answer)}`);
    else {
      const severities = isTakenOut ? [severity, 'NEXT_CHANGE_FAILS'] : [severity];
      if (!severities.includes(found.severity)) deed.wrong.push(`severity ${found.severity}, not ${severity}`);
      if (cause !== undefined && !cause.test(found.cause)) deed.wrong.push(`cause "${found.cause}"`);
    }
    const more = answer.findings.filter((each) => each !== found && !also.includes(each.kind));
    if (more.length > 0)
      deed.wrong.push(`also found ${more.map((each) => `${each.kind} at ${each.where}`).join(', ')}`);
    return found;
  }

  async #untilInSync({ loadBalancer = LOAD_BALANCER }: Way, deed: Deed): Promise<void> {
    const limit = Date.now() + IN_SYNC_LIMIT_MS;
    for (;;) {
      this.#interrupted.throwIfAborted();
      const answer = await check(this.#environment, loadBalancer).catch((error: Error) => {
        // One that is gone and forgotten is nobody's concern any more.
        if (/ERR_LOAD_BALANCER_NOT_FOUND|There is no|not found/i.test(error.message)) return undefined;
        throw error;
      });
      if (answer === undefined || answer.status === 'IN_SYNC') return;
      if (Date.now() > limit) {
        deed.wrong.push(`not in sync when it was mended: ${inWords(answer)}`);
        return;
      }
      await sleep(1000);
    }
  }

  /** Everybody in service, every node with the policies as they are: from here on nothing may fail. */
  async #settle(): Promise<void> {
    const registered = this.#environment.elb.loadBalancers.get(LOAD_BALANCER).instanceIds.size;
    await waitInService(this.#environment, registered);
    await sleep(this.#environment.options.policyDelayMs[1] + 500);
    if (registered < this.#fleet.instances.length) return;
    await this.#traffic?.phase('proxy');
    await sleep(SEEN_MS);
  }

  async #takeBack({ after, loadBalancer }: Way, deed: Deed): Promise<void> {
    if (after === undefined || loadBalancer !== undefined) return;
    await this.#settle();
    const answer = await check(this.#environment, LOAD_BALANCER);
    if (answer.status !== 'IN_SYNC') deed.wrong.push(`taken back, and still ${inWords(answer)}`);
  }

  /** Missing data is breaching: two hours on, without a check, the alarm goes off, and the topic hears of it. */
  async #stopped(deed: Deed): Promise<void> {
    const { cloudWatch, sns } = this.#environment.monitoring;
    await cloudWatch.evaluateAlarms(Date.now() + 2 * 3_600_000);
    const alarm = await resource(this.#environment, 'DriftCheckStoppedAlarm');
    const message = sns.messages.findLast(({ subject }) => subject?.startsWith(`ALARM: "${alarm}"`));
    if (message === undefined) deed.wrong.push(`the alarm ${alarm} did not reach its topic`);
    deed.said = message?.subject ?? 'nothing';
    await cloudWatch.evaluateAlarms();
  }

  /** Its role could not do otherwise; this is what it did. */
  async #called(deed: Deed): Promise<void> {
    const role = await resource(this.#environment, 'DriftCheckFunctionRole');
    const own = this.#environment.endpoint.dispatcher.calls.filter(({ accessKeyId }) => accessKeyId.includes(role));
    const elb = own.filter(({ service }) => service === 'elasticloadbalancing');
    const writes = elb.filter(({ action }) => !action.startsWith('Describe'));
    if (elb.length === 0) deed.wrong.push('no call of the check was seen at all');
    if (writes.length > 0) deed.wrong.push(`${writes.length} write calls: ${writes[0]?.action}`);
    deed.said = `${own.length} calls, ${elb.length} of them to Elastic Load Balancing, none of which writes`;
  }

  /** As the schedule does, and to its end. */
  async #scheduledCheck(): Promise<void> {
    const { events } = this.#environment.monitoring;
    const functionName = await resource(this.#environment, 'DriftCheckFunction');
    const before = this.#environment.lambda.invocations.length;
    events.runSchedule(await resource(this.#environment, 'DriftSchedule'));
    await this.#until('the scheduled check to end', 120_000, () => {
      const own = this.#environment.lambda.invocations.slice(before).find((each) => each.functionName === functionName);
      return own?.failed === undefined ? undefined : own;
    });
  }

  /** What the last event about the fleet said. */
  #lastTold(): LoadBalancerResult {
    const detail = this.#driftEvents().at(-1)?.detail as
      | (LoadBalancerResult & { readonly omitted: number })
      | undefined;
    if (detail === undefined) throw new Error('the scheduled check has told nothing');
    return { ...detail, suppressed: 0, why: '' };
  }

  async #untilMended(from: number): Promise<void> {
    const outcome = await this.#remediationOutcome(from, ['mended', 'failed', 'left alone']);
    if (outcome !== 'mended') throw new Error(`remediation ended in "${outcome}"`);
  }

  async #remediationOutcome(from: number, outcomes: readonly string[]): Promise<string> {
    const { events } = this.#environment.monitoring;
    const functionName = await resource(this.#environment, 'DriftRemediationFunction');
    return this.#until('remediation to end', REMEDIATION_LIMIT_MS, () => {
      const told = events.events
        .slice(from)
        .filter((event) => event['detail-type'] === 'proxyflip remediation')
        .map(({ detail }) => (detail as { outcome: string }).outcome);
      return told.find((outcome) => outcomes.includes(outcome));
    }).catch((error: Error) => {
      const lost = events.deliveries.findLast(({ outcome }) => outcome === 'failed')?.error ?? 'none';
      const said = this.#environment.lambda.logs(functionName).slice(-8).join(' | ');
      throw new Error(`${error.message}; events lost: ${lost}; the function said: ${said}`);
    });
  }

  async #until<T>(what: string, limitMs: number, look: () => T | undefined): Promise<T> {
    const limit = Date.now() + limitMs;
    for (;;) {
      this.#interrupted.throwIfAborted();
      const seen = look();
      if (seen !== undefined) return seen;
      if (Date.now() > limit) throw new Error(`waited ${limitMs / 1000} s for ${what}`);
      await sleep(200);
    }
  }

  #driftEvents(loadBalancer: string = LOAD_BALANCER) {
    return this.#environment.monitoring.events.events.filter(
      (event) =>
        event['detail-type'] === 'proxyflip drift' &&
        (event.detail as { loadBalancer: string }).loadBalancer === loadBalancer,
    );
  }
}

function lineOf({ what, said, mend, wrong }: Deed): string {
  const verdict = wrong.length === 0 ? 'as it has to be' : 'WRONG          ';
  return `${verdict}  ${what}: ${said}${mend === '' ? '' : `\n                   ${mend}`}`;
}

function inWords({ status, findings, why }: LoadBalancerResult): string {
  const found = findings.map(({ kind, where, severity, observed }) => `${severity} ${kind} at ${where} (${observed})`);
  return [status, why, ...found].filter((each) => each !== '').join(' ');
}
