/** What every scenario that is judged has in common: an account, a fleet, clients all the time, a verdict, and nothing left behind. */
import { Environment } from '../environment.ts';
import { type Fleet, startFleet } from '../fleet.ts';
import { renderHtml } from '../report/html.ts';
import { lacking, permissionsReport } from '../report/permissions.ts';
import { renderPicture } from '../report/picture.ts';
import { type RehearsalResult, type Required, verdict } from '../report/result.ts';
import { summary } from '../report/summary.ts';
import type { Traffic } from '../traffic/traffic.ts';
import { followRunbook } from './follow.ts';
import type { ScenarioOptions } from './options.ts';
import { underTraffic } from './under-traffic.ts';
import { writeReports } from './write-reports.ts';

/** What a scenario does on a fleet, and what it has found out. Its findings are read when `play` has ended. */
export interface Play {
  /** Over the picture. */
  readonly title: string;
  /** What the traffic has to have seen at least. */
  readonly required: Partial<Required>;
  /** @returns the stack's status, `NONE` where there is none */
  play(traffic: Traffic): Promise<string>;
  /** Beside the traffic, for --json. */
  details?(): Readonly<Record<string, unknown>>;
  /** What was done, a line each, for people. */
  lines?(): readonly string[];
  /** Roles that are refused something on purpose; that any other is, the run falls short by. */
  readonly refusedRoles?: readonly string[];
  /** The result without what the scenario itself did to clients. */
  beyond?(result: RehearsalResult): RehearsalResult;
  /** What is not as it has to be, a sentence each. */
  shortfalls?(): readonly string[];
}

export interface Stage {
  readonly environment: Environment;
  readonly fleet: Fleet;
  readonly options: ScenarioOptions;
  readonly interrupted: AbortSignal;
}

export interface Judgement {
  /** Where it is not the one that the Command document prepares. */
  fleet?(environment: Environment, machines: number): Promise<Fleet>;
  /** How long Run Command waits for an agent that is away, where it is not as long as AWS does. */
  readonly deliveryTimeoutMs?: number;
  /** Where people can open the chat's page, while `afterwards` lasts. */
  readonly pagePort?: number;
  /** Behind the summary, with everything still up. */
  afterwards?(result: RehearsalResult): Promise<void>;
}

/** A run, and in which it fell short of what was promised. */
export interface Judged {
  readonly result: RehearsalResult;
  readonly shortfalls: readonly string[];
}

type Cast = (stage: Stage) => Play | Promise<Play>;

/** @returns exit status: 0 only where the traffic and the scenario itself fell short of nothing */
export async function judged(
  options: ScenarioOptions,
  interrupted: AbortSignal,
  cast: Cast,
  judgement: Judgement = {},
): Promise<number> {
  const { shortfalls } = await played(options, interrupted, cast, judgement);
  return shortfalls.length === 0 ? 0 : 1;
}

/** The same for a scenario of several runs, which has more to say than a status. */
export async function played(
  options: ScenarioOptions,
  interrupted: AbortSignal,
  cast: Cast,
  { fleet: start = startFleet, pagePort, deliveryTimeoutMs, afterwards }: Judgement = {},
): Promise<Judged> {
  const environment = await Environment.start({
    ...options,
    pagePort,
    deliveryTimeoutMs,
    say: (line) => console.log(line),
  });
  try {
    const fleet = await start(environment, options.machines);
    interrupted.throwIfAborted();
    const play = await cast({ environment, fleet, options, interrupted });
    const titled = { ...options, title: play.title };
    const result = await underTraffic(environment, fleet, titled, interrupted, async (traffic) => {
      const stopFollowing = followRunbook(environment, traffic);
      try {
        return await play.play(traffic);
      } finally {
        stopFollowing();
      }
    });
    const { authorizer } = environment;
    const shortfalls = [
      ...verdict(play.beyond?.(result) ?? result, play.required),
      ...lacking(authorizer.refusals, play.refusedRoles),
      ...(play.shortfalls?.() ?? []),
    ];
    await writeReports(options, {
      json: () => ({ ...result, ...permissionsReport(authorizer), ...play.details?.() }),
      html: () => renderHtml([{ result, shortfalls }]),
      svg: () => renderPicture([result]),
    });
    for (const line of play.lines?.() ?? []) console.log(line);
    const pageUrl = pagePort === undefined ? {} : { pageUrl: `https://127.0.0.1:${pagePort}/` };
    console.log(summary(result, { colour: process.stdout.isTTY === true, shortfalls, ...pageUrl }));
    await afterwards?.(result);
    return { result, shortfalls };
  } finally {
    await environment[Symbol.asyncDispose]();
  }
}
