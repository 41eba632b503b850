/** The check's result for people. Pure. */
import { type Finding, type LoadBalancerResult, SEVERITIES, type Severity, STATUSES, type Status } from './finding.ts';

const MEANING: Readonly<Record<Severity, string>> = {
  EVERY_REQUEST_FAILS: 'Every request fails there now',
  SOME_REQUESTS_FAIL: 'Some requests fail',
  CLIENT_ADDRESSES_WRONG: 'Client addresses are wrong or forgeable',
  NEXT_CHANGE_FAILS: 'The next change would fail',
  UNTIDY: 'Untidy',
};

export function describeFinding(finding: Omit<Finding, 'text'>): string {
  const { severity, kind, where, expected, observed, since, cause } = finding;
  return `${MEANING[severity]}: ${kind} at ${where} since ${since} at the latest. Expected: ${expected}. Observed: ${observed}.${
    cause === '' ? '' : ` Cause: ${cause}.`
  }`;
}

export const worstStatus = (results: readonly { readonly status: Status }[]): Status =>
  STATUSES.find((status) => results.some((each) => each.status === status)) ?? 'IN_SYNC';

export function summarise(results: readonly LoadBalancerResult[]): string {
  if (results.length === 0) return 'No load balancer is in scope: none has been switched by proxyflip here.';
  const counts = STATUSES.map((status) => [results.filter((each) => each.status === status), status] as const)
    .filter(([found]) => found.length > 0)
    .map(([found, status]) => `${found.length} ${status}${status === 'IN_SYNC' ? '' : ` (${names(found)})`}`);
  const worst = SEVERITIES.map((severity) => results.find((each) => each.findings[0]?.severity === severity)).find(
    (each) => each !== undefined,
  )?.findings[0];
  return `${counts.join(', ')}.${worst === undefined ? '' : ` Worst: ${worst.text}`}`;
}

export function summariseOne({ name, status, findings, why, suppressed }: LoadBalancerResult): string {
  const [worst, ...more] = findings;
  const words = [
    `${name} is ${status}.`,
    ...(why === '' ? [] : [`${why}.`]),
    ...(worst === undefined ? [] : [worst.text]),
    ...(more.length === 0 ? [] : [`And ${more.length} more.`]),
    ...(worst === undefined || worst.mend === '' ? [] : ['The drift runbook’s report has the command that mends it.']),
    ...(suppressed === 0 ? [] : [`${suppressed} suppressed.`]),
  ];
  return inOneLine(words.join(' '));
}

/**
 * For a rule's input transformer, which puts a text between quotation marks: whether it escapes those inside is not documented, and a message
 * that is no JSON any more is lost. So it has none, and no command either, which cannot do without.
 */
export const inOneLine = (text: string): string => text.replace(/["\\]/g, "'").replace(/\s+/g, ' ');

/** An Automation step puts out 200 KB in all; a person reads less. Unit: characters. */
const REPORT_SIZE = 30_000;

/** All findings, a paragraph each, for the console. */
export function reportOf(results: readonly LoadBalancerResult[]): string {
  const text = results
    .filter(({ status, suppressed }) => status !== 'IN_SYNC' || suppressed > 0 || results.length === 1)
    .map(({ name, status, findings, suppressed, why }) =>
      [
        `${name}: ${status}${why === '' ? '' : `, ${why}`}${suppressed === 0 ? '' : `, ${suppressed} suppressed`}`,
        ...findings.map(({ text, mend }) => `- ${text}${mend === '' ? '' : `\n  ${mend}`}`),
      ].join('\n'),
    )
    .join('\n\n');
  return text.length > REPORT_SIZE
    ? `${text.slice(0, REPORT_SIZE)}\n… and more: the function’s log has every finding`
    : text;
}

const NAMED = 5;
const names = (results: readonly LoadBalancerResult[]): string => {
  const more = results.length - NAMED;
  return `${results
    .slice(0, NAMED)
    .map(({ name }) => name)
    .join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};
