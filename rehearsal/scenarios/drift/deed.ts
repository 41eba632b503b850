/** What was done in one part of the run, and what the check said of it against what it has to say. Pure. */
import type { Finding, LoadBalancerResult } from '../../../functions/drift-check/finding.ts';
import type { Scene } from './scenes.ts';
import type { Way } from './ways/way.ts';

export interface Deed {
  readonly what: string;
  /** What the check said, a finding each. */
  readonly said: string[];
  /** The commands that were run as they were printed. */
  readonly mends: string[];
  /** What was not as it has to be. */
  readonly wrong: string[];
  /** How long it took, with all that was waited for. */
  seconds: number;
}

/** In the order in which they were made. */
export const findingsOf = (scene: Scene, { findings }: LoadBalancerResult): Finding[] =>
  scene.flatMap((way) => findings.filter((finding) => isOf(way, finding)));

const isOf = ({ kind, where }: Way, finding: Finding): boolean => finding.kind === kind && finding.where === where;

/** Each thing that was made is found and named as it has to be, and nothing else is. */
export function differences(scene: Scene, answer: LoadBalancerResult): string[] {
  const [{ status = 'MODIFIED' } = {}] = scene;
  const explained = scene.flatMap(({ also = [] }) => also);
  const more = answer.findings.filter(
    (finding) => !scene.some((way) => isOf(way, finding)) && !explained.includes(finding.kind),
  );
  return [
    ...(answer.status === status ? [] : [`status ${answer.status}, not ${status}`]),
    ...scene.flatMap((way) => {
      const found = answer.findings.find((finding) => isOf(way, finding));
      return found === undefined ? [`${way.kind} not found at ${way.where}`] : misnamed(way, found);
    }),
    ...more.map(({ kind, where, observed }) => `also found ${kind} at ${where} (${observed})`),
  ];
}

function misnamed({ kind, severity, isTakenOut, cause }: Way, found: Finding): string[] {
  const severities = isTakenOut ? [severity, 'NEXT_CHANGE_FAILS'] : [severity];
  return [
    ...(severities.includes(found.severity) ? [] : [`${kind} has severity ${found.severity}, not ${severity}`]),
    ...(cause === undefined || cause.test(found.cause) ? [] : [`${kind} has cause "${found.cause}", not ${cause}`]),
  ];
}

/** Each command once: the same mends several. The switch is last, since it refuses a load balancer where others are due. */
export function mendsOf(scene: Scene, answer: LoadBalancerResult): string[] {
  const mends = [...new Set(findingsOf(scene, answer).map(({ mend }) => mend))].filter((mend) => mend !== '');
  return [...mends.filter((mend) => !startsSwitch(mend)), ...mends.filter(startsSwitch)];
}

export const startsSwitch = (mend: string): boolean => mend.includes('start-automation-execution');

export function linesOf({ what, said, mends, wrong, seconds }: Deed): string {
  const verdict = wrong.length === 0 ? 'as it has to be' : 'WRONG          ';
  return [
    `${verdict}  ${String(Math.round(seconds)).padStart(3)} s  ${what}`,
    ...said.map((each) => `                          ${each}`),
    ...mends.map((each) => `                          $ ${each}`),
    ...wrong.map((each) => `                          - ${each}`),
  ].join('\n');
}

export function inWords({ status, findings, why }: LoadBalancerResult): string {
  const found = findings.map((each) => findingInWords(each));
  return [status, why, ...found].filter((each) => each !== '').join(' ');
}

export const findingInWords = ({ kind, where, severity, observed }: Finding): string =>
  `${severity} ${kind} at ${where} (${observed})`;
