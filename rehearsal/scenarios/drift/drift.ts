/**
 * `npm run rehearse -- drift`: a switched fleet under traffic is made to differ in every way that the check knows. Each is found and
 * named, mended by the command that is printed, and in sync again; then the same once more, mended by remediation alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import type { LoadBalancerResult } from '../../../functions/drift-check/finding.ts';
import type { Kind } from '../../../functions/drift-check/kinds.ts';
import type { Environment } from '../../environment.ts';
import { type Fleet, LOAD_BALANCER, waitInService } from '../../fleet.ts';
import { AWS_CLI, requirePackages } from '../../host/packages.ts';
import { RESENT_BY_A_SWITCH, type RehearsalResult, type Required } from '../../report/result.ts';
import { RECEIVER_MODES } from '../../traffic/client-address.ts';
import type { Traffic } from '../../traffic/traffic.ts';
import { modesNow } from '../follow.ts';
import { judged, type Play, type Stage } from '../judged.ts';
import type { ScenarioOptions } from '../options.ts';
import { pause } from '../pause.ts';
import { createStack, stackParameters, updateStack, waitForStack } from '../stack.ts';
import { beyondDrift, DRIFT_PHASE } from './beyond-drift.ts';
import { check, reportByRunbook, resource } from './check.ts';
import { type Deed, differences, findingInWords, findingsOf, inWords, linesOf, mendsOf, startsSwitch } from './deed.ts';
import { Hands } from './hands.ts';
import { chosenKinds, FOUGHT_OVER, type Scene, scenes } from './scenes.ts';
import { BOTH_SECONDS, driftParameters, victimsOf } from './ways/way.ts';

export async function drift(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  const chosen = chosenKinds(options.only);
  await requirePackages([AWS_CLI], console.log);
  return judged(options, interrupted, (stage) => new Drift(stage, chosen));
}

/** How many checks of a healthy fleet there are at one time, as of people and the schedule. */
const AT_A_TIME = 4;
/** After a mend, how long the check may take to agree: the health check, and the logs that are read. */
const IN_SYNC_LIMIT_MS = 90_000;
const REMEDIATION_LIMIT_MS = 180_000;
/** How long clients are looked at before the next thing is done. */
const SEEN_MS = 1_000;
/** Mended twice within a day, and there again. */
const BRAKE = 3;
/** A tag that Elastic Beanstalk gives its load balancers. */
const WHO = { tag: 'elasticbeanstalk:environment-name', words: /Elastic Beanstalk/ };

class Drift implements Play {
  readonly title = `${LOAD_BALANCER}: everything that can differ`;
  readonly required: Partial<Required>;
  readonly #environment: Environment;
  readonly #fleet: Fleet;
  readonly #options: ScenarioOptions;
  readonly #interrupted: AbortSignal;
  readonly #hands: Hands;
  readonly #scenes: readonly Scene[];
  readonly #chosen: ReadonlySet<Kind>;
  readonly #parameters: Readonly<Record<string, string>>;
  readonly #deeds: Deed[] = [];
  #traffic: Traffic | undefined;

  constructor({ environment, fleet, options, interrupted }: Stage, chosen: ReadonlySet<Kind>) {
    if (fleet.chat === undefined) throw new Error('drift needs a fleet with the chat service');
    this.#environment = environment;
    this.#fleet = fleet;
    this.#options = options;
    this.#interrupted = interrupted;
    this.#hands = new Hands(environment, interrupted);
    this.#chosen = chosen;
    const chatFleet = { ...fleet, chat: fleet.chat };
    this.#scenes = scenes(
      {
        environment,
        fleet: chatFleet,
        options,
        interrupted,
        hands: this.#hands,
        ...victimsOf(chatFleet),
        completeCheck: () => this.#scheduledCheck(),
      },
      chosen,
    );
    this.required = {
      newConnections: 1_000,
      webSockets: options.webSockets,
      // Each scene has two runs of the switch, by hand and by remediation; the stack has one, and so has the brake.
      resentAtMost: RESENT_BY_A_SWITCH * (2 + 2 * this.#scenes.length),
    };
    this.#parameters = {
      ...stackParameters(fleet, options),
      ...driftParameters({ fleet: chatFleet, options }),
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
    return this.#deeds.map(linesOf);
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
    for (const scene of this.#scenes) {
      await this.#deed(`by hand: ${kindsOf(scene)}`, (deed) => this.#byHand(scene, deed));
    }
    await this.#deed('a check that stops', (deed) => this.#stopped(deed));
    await updateStack(this.#environment, { ...this.#parameters, Remediation: 'Automatic' });
    const updated = await waitForStack(this.#environment, this.#interrupted);
    if (updated !== 'UPDATE_COMPLETE') return updated;
    const mendable = this.#scenes.flatMap((scene) => {
      const left = scene.filter(({ isMendedBySwitch }) => isMendedBySwitch);
      return left.length === 0 ? [] : [left];
    });
    for (const scene of mendable) {
      await this.#deed(`by remediation: ${kindsOf(scene)}`, (deed) => this.#byRemediation(scene, deed));
    }
    const first = mendable[0]?.slice(0, 1);
    if (first !== undefined && this.#chosen.has(FOUGHT_OVER)) {
      await this.#deed(`${kindsOf(first)}, which somebody undoes`, (deed) => this.#foughtOver(first, deed));
    }
    await this.#deed('what the check has called', (deed) => this.#called(deed));
    return updated;
  }

  async #deed(what: string, run: (deed: Deed) => Promise<void>): Promise<void> {
    this.#interrupted.throwIfAborted();
    const deed: Deed = { what, said: [], mends: [], wrong: [], seconds: 0 };
    this.#deeds.push(deed);
    const begunAt = Date.now();
    try {
      await run(deed);
    } catch (error) {
      this.#interrupted.throwIfAborted();
      deed.wrong.push((error as Error).message);
    }
    deed.seconds = (Date.now() - begunAt) / 1000;
    // It takes some minutes; on a terminal there is the picture.
    if (process.stdout.isTTY !== true) console.log(linesOf(deed));
  }

  /** No finding, no event, and no message, however often it is asked. */
  async #healthy(deed: Deed): Promise<void> {
    await this.#scheduledCheck();
    const events = this.#driftEvents().length;
    const { checks } = this.#options;
    for (let asked = 0; asked < checks; asked += AT_A_TIME) {
      this.#interrupted.throwIfAborted();
      const some = Array.from({ length: Math.min(AT_A_TIME, checks - asked) }, () =>
        check(this.#environment, LOAD_BALANCER),
      );
      const answers = await Promise.all(some);
      deed.wrong.push(...answers.filter(({ status }) => status !== 'IN_SYNC').map(inWords));
    }
    const report = await reportByRunbook(this.#environment, LOAD_BALANCER, this.#interrupted);
    if (report !== `${LOAD_BALANCER}: IN_SYNC`) deed.wrong.push(`the runbook reports ${report}`);
    const told = this.#driftEvents().length - events;
    if (told > 0) deed.wrong.push(`${told} events, although nothing changed`);
    const { refusedMetrics } = this.#environment.monitoring.cloudWatch;
    if (refusedMetrics.length > 0) deed.wrong.push(`metrics that CloudWatch drops: ${refusedMetrics[0]}`);
    deed.said.push(`IN_SYNC in ${checks} checks under load`);
  }

  async #byHand(scene: Scene, deed: Deed): Promise<void> {
    const loadBalancer = loadBalancerOf(scene);
    const events = this.#driftEvents(loadBalancer).length;
    const answer = await this.#make(scene, deed, () => check(this.#environment, loadBalancer));
    for (const mend of mendsOf(scene, answer)) {
      deed.mends.push(mend);
      await this.#mend(deed, mend, loadBalancer);
    }
    for (const decide of new Set(scene.map((way) => way.decide))) await decide?.();
    await this.#untilInSync(scene, deed);
    const told = this.#driftEvents(loadBalancer).length - events;
    if (told !== 2) deed.wrong.push(`${told} events for one change and its mend`);
    await this.#takeBack(scene, deed);
  }

  /** Whoever asks meanwhile is told that a switch is at work. */
  async #mend(deed: Deed, mend: string, loadBalancer: string): Promise<void> {
    const before = await this.#switchedBy(loadBalancer);
    let isOver = false;
    const mended = this.#hands.mend(mend).finally(() => {
      isOver = true;
    });
    if (!startsSwitch(mend)) return mended;
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

  async #byRemediation(scene: Scene, deed: Deed): Promise<void> {
    const from = this.#environment.monitoring.events.events.length;
    await this.#make(scene, deed, () => this.#whatIsTold());
    await this.#untilMended(from);
    await this.#untilInSync(scene, deed);
    await this.#takeBack(scene, deed);
  }

  /** It was mended once by now. */
  async #foughtOver(scene: Scene, deed: Deed): Promise<void> {
    for (let time = 2; time < BRAKE; time += 1) await this.#byRemediation(scene, deed);
    const from = this.#environment.monitoring.events.events.length;
    await this.#make(scene, deed, () => this.#whatIsTold(), [FOUGHT_OVER]);
    const outcome = await this.#remediationOutcome(from, ['left alone', 'mended', 'failed']);
    if (outcome !== 'left alone') deed.wrong.push(`remediation has ${outcome} it`);
    await this.#hands.shell(`aws elb add-tags --load-balancer-names ${LOAD_BALANCER} --tags Key=${WHO.tag},Value=chat`);
    const answer = await check(this.#environment, LOAD_BALANCER);
    const fight = answer.findings.find(({ kind }) => kind === FOUGHT_OVER);
    if (fight === undefined) deed.wrong.push(`no finding says ${FOUGHT_OVER}: ${inWords(answer)}`);
    else {
      deed.said.push(`${findingInWords(fight)}: ${fight.cause}`);
      if (!WHO.words.test(fight.cause)) deed.wrong.push(`it does not say who: ${fight.cause}`);
    }
    for (const mend of mendsOf(scene, answer)) {
      deed.mends.push(mend);
      await this.#hands.mend(mend);
    }
    await this.#untilInSync(scene, deed);
    await this.#settle();
  }

  /** Make it, and hold what the check says against what it has to say. */
  async #make(
    scene: Scene,
    deed: Deed,
    ask: () => Promise<LoadBalancerResult>,
    also: readonly Kind[] = [],
  ): Promise<LoadBalancerResult> {
    await this.#traffic?.phase(`${DRIFT_PHASE}${kindsOf(scene)}`, RECEIVER_MODES);
    for (const way of scene) await way.make();
    await pause(Math.max(...scene.map(({ ripeMs = 0 }) => ripeMs)), this.#interrupted);
    const answer = await ask();
    deed.said.push(...findingsOf(scene, answer).map(findingInWords));
    const findings = answer.findings.filter(({ kind }) => !also.includes(kind));
    deed.wrong.push(...differences(scene, { ...answer, findings }));
    return answer;
  }

  /** By a scheduled check, to the topic and to remediation. */
  async #whatIsTold(): Promise<LoadBalancerResult> {
    const before = this.#driftEvents().length;
    await this.#scheduledCheck();
    const detail = this.#driftEvents().slice(before).at(-1)?.detail as
      | (LoadBalancerResult & { readonly omitted: number })
      | undefined;
    if (detail === undefined) throw new Error('the scheduled check has told nothing');
    return { ...detail, suppressed: 0, why: '' };
  }

  async #untilInSync(scene: Scene, deed: Deed): Promise<void> {
    const loadBalancer = loadBalancerOf(scene);
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
    // Not always proxy: a way off that was mended went to its end.
    const modes = modesNow(this.#environment);
    await this.#traffic?.phase(modes.join(' → '), modes);
    await sleep(SEEN_MS);
  }

  async #takeBack(scene: Scene, deed: Deed): Promise<void> {
    await this.#settle();
    const back = scene.flatMap(({ after }) => (after === undefined ? [] : [after]));
    if (back.length === 0) return;
    for (const after of back) await after();
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
    deed.said.push(message?.subject ?? 'nothing');
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
    deed.said.push(`${own.length} calls, ${elb.length} of them to Elastic Load Balancing, none of which writes`);
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

const kindsOf = (scene: Scene): string => scene.map(({ kind }) => kind).join(', ');

/** Of whichever load balancer it is, the whole scene is of that one. */
const loadBalancerOf = ([first]: Scene): string => first?.loadBalancer ?? LOAD_BALANCER;
