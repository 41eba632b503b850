/** How figures and kinds are put into words, the same in every report. */
import type { FailureCounts, PhaseCounts } from '../traffic/counts.ts';
import { FAILURE_KINDS, type FailureKind } from '../traffic/exchange.ts';
import type { Order } from './result.ts';

export const FAILURE_WORDS: Readonly<Record<FailureKind, string>> = {
  local: 'not sent: this machine ran out of ports',
  refused: 'refused',
  unreachable: 'unreachable',
  reset: 'reset',
  closed: 'closed without an answer',
  truncated: 'cut off within the answer',
  timeout: 'timed out',
  tls: 'TLS failed',
  'status-400': 'answered 400',
  'status-4xx': 'answered 4xx',
  'status-5xx': 'answered 5xx',
  'status-other': 'answered another status',
  'bad-answer': 'answered nonsense',
};

export const ORDER_WORDS: Readonly<
  Record<Order, { readonly title: string; readonly short: string; readonly what: string }>
> = {
  runbook: {
    title: 'Runbook',
    short: 'runbook',
    what: 'every receiver accepts both, then the load balancer, then every receiver is strict',
  },
  'elb-first': {
    title: 'Load balancer first',
    short: 'ELB first',
    what: 'the policy on the load balancer, then nginx',
  },
  'nginx-first': {
    title: 'nginx first',
    short: 'nginx first',
    what: 'nginx requires the PROXY line, then the load balancer sends it',
  },
};

/** `12 reset, 5 closed without an answer`, the most frequent first. */
export function failuresInWords(failures: FailureCounts): string {
  return FAILURE_KINDS.filter((kind) => (failures[kind] ?? 0) > 0)
    .sort((left, right) => (failures[right] ?? 0) - (failures[left] ?? 0))
    .map((kind) => `${count(failures[kind] ?? 0)} ${FAILURE_WORDS[kind]}`)
    .join(', ');
}

/** `24,310` */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `1 message`, `2,402 messages` */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** `0.04 %`; small shares are not rounded to nothing. */
export function percent(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0 %';
  const share = (part / whole) * 100;
  if (share < 0.01) return '< 0.01 %';
  return `${share < 1 ? share.toFixed(2) : share.toFixed(1)} %`;
}

/** `01:07` */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}

/** As whom the application saw a client: `198.51.100.7 seen as itself, verified`; empty without an example. */
export function seenInWords(sample: PhaseCounts['sample']): string {
  if (!sample) return '';
  const { source, address, trusted } = sample;
  if (address === null) return `${source} seen as nobody: not believed yet`;
  if (address === source) return `${source} seen as itself${trusted ? ', verified' : ', not verified'}`;
  return `${source} seen as ${address}${trusted ? ', trusted' : ', not trusted'}`;
}
