/** The last words of a run: what was counted, what the application saw before and after, and what that proves. */
import type { AddressCounts } from '../traffic/counts.ts';
import { type ResourceReport, resourceLines } from './resources.ts';
import { DISAGREEMENT_PHASE, type RehearsalResult, verdict } from './result.ts';
import { cell, type Line, paint, type Span } from './terminal.ts';
import { clock, count, counted, failuresInWords, percent, seenInWords } from './words.ts';

export interface SummaryOptions {
  readonly colour: boolean;
  /** Of the chat page, while it can be opened. */
  readonly pageUrl?: string;
  /** What `verdict` was asked for, where it was less than the default. */
  readonly shortfalls?: readonly string[];
}

export function summary(result: RehearsalResult, options: SummaryOptions): string {
  const shortfalls = options.shortfalls ?? verdict(result);
  return paint(
    [
      ...headline(result, shortfalls),
      [],
      ...counts(result),
      [],
      ...addresses(result),
      ...(result.order === 'runbook'
        ? []
        : ['', ...costInWords(result)].map((line): Line => (line === '' ? [] : [line]))),
      ...(result.resources ? resources(result.resources) : []),
      [],
      ...machine(result),
      ...(options.pageUrl ? [[], [['bold', 'The chat page: '] as const, options.pageUrl]] : []),
    ],
    options.colour,
  );
}

function headline(result: RehearsalResult, shortfalls: readonly string[]): Line[] {
  if (shortfalls.length > 0) {
    const title = shortfalls.length === 1 ? 'One thing fell short:' : `${shortfalls.length} things fell short:`;
    return [[['red', title]], ...shortfalls.map((text): Line => ['  - ', text])];
  }
  if (result.order !== 'runbook') {
    return [
      [
        ['yellow', 'The traffic saw what this order costs.'],
        ` The runbook's costs nothing: npm run rehearse -- switch`,
      ],
    ];
  }
  if (result.newConnectionsByEntry) {
    const led =
      'Clients were led to the Application Load Balancer under load: no request failed, no WebSocket was dropped.';
    return [[['green', led]]];
  }
  // Held against nobody, or it would be a shortfall; said all the same.
  if (result.newConnections.failed + result.keepAlive.failed + result.webSockets.dropped > 0) {
    return [[['green', 'Clients lost nothing but what was cut off on purpose.']]];
  }
  const times = result.cycles > 0 ? `${counted(result.cycles, 'time')} on and off again` : 'on';
  return [[['green', `PROXY protocol was switched ${times} under load: no request failed, no WebSocket was dropped.`]]];
}

function counts(result: RehearsalResult): Line[] {
  const { newConnections, keepAlive, webSockets, forged } = result;
  const row = (name: string, sent: number, bad: number, word: string, rest = ''): Line => [
    ...cell([name], 22),
    ...cell([count(sent)], 9, 'right'),
    '   ',
    ...cell([mark(bad, `${count(bad)} ${word}`)], 16),
    rest,
  ];
  return [
    row(
      'new connections',
      newConnections.sent,
      newConnections.failed,
      'failed',
      newConnections.failed > 0 ? failuresInWords(newConnections.failures) : entriesInWords(result),
    ),
    row(
      'keep-alive requests',
      keepAlive.sent,
      keepAlive.failed,
      'failed',
      keepAlive.failed > 0
        ? failuresInWords(keepAlive.failures)
        : `${count(keepAlive.retried)} sent again (${percent(keepAlive.retried, keepAlive.sent)})`,
    ),
    row('WebSockets', webSockets.opened, webSockets.dropped, 'dropped', webSocketsInWords(result)),
    row('messages echoed', webSockets.messagesSent, webSockets.messagesLost, 'lost'),
    row(
      'forged PROXY lines',
      forged.sent,
      forged.believed,
      'believed',
      `${count(forged.refused)} refused, ${count(forged.served)} answered as anybody`,
    ),
  ];
}

function entriesInWords({ newConnectionsByEntry: entries }: RehearsalResult): string {
  if (entries === undefined) return '';
  return `${count(entries.classic.sent)} by the Classic ELB, ${count(entries.alb.sent)} by the ALB`;
}

function webSocketsInWords({ webSockets }: RehearsalResult): string {
  if (webSockets.failedToOpen > 0) return `${count(webSockets.failedToOpen)} could not be opened`;
  if (webSockets.dropped > 0) return 'none came back';
  return webSockets.returned > 0 ? `${count(webSockets.returned)} came back by themselves` : 'open for the whole run';
}

function mark(bad: number, words: string): Span {
  return [bad > 0 ? 'red' : 'green', words];
}

/** One line a phase: from plain to proxy it is the whole point of the switch. */
function addresses({ phases, clientAddress }: RehearsalResult): Line[] {
  const total = `${count(clientAddress.correct)} as expected, ${count(clientAddress.wrong)} wrong, ${count(clientAddress.unverified)} unverified`;
  return [
    [['bold', 'What the application took for the client’s address'], `  (${total})`],
    ...phases.map(
      (phase): Line => [
        '  ',
        ...cell([phase.name], 16),
        ...cell([`${clock(phase.startMs)} to ${clock(phase.endMs)}`], 17),
        ...cell([judged(phase.clientAddress)], 22),
        seenInWords(phase.sample),
      ],
    ),
  ];
}

function judged({ correct, wrong, unverified }: AddressCounts): Span {
  if (wrong > 0) return ['red', `${count(wrong)} wrong`];
  if (unverified > 0) return ['red', `${count(unverified)} unverified`];
  if (correct === 0) return ['dim', 'no answer'];
  return ['green', `${counted(correct, 'answer')} right`];
}

function resources(report: ResourceReport): Line[] {
  return [
    [],
    [
      ['bold', 'What the processes held'],
      '  (medians of the first and the last third of the run; of several machines, the most grown)',
    ],
    ...resourceLines(report).map((line): Line => ['  ', line]),
  ];
}

/** What an order cost while the sides disagreed, and what the logs show of it; empty where they never did. */
export function costInWords(result: RehearsalResult): string[] {
  return result.phases.flatMap((phase, index) => {
    if (phase.name !== DISAGREEMENT_PHASE) return [];
    const { sent, failed } = phase.newConnections;
    const lasted = `${((phase.endMs - phase.startMs) / 1000).toFixed(1)} s`;
    return [
      `While the sides disagreed (${lasted}): ${count(failed)} of ${counted(sent, 'new connection')} failed, ${percent(failed, sent)}.`,
      ...whereLogged(result, index),
    ];
  });
}

/** What an operator would find in the logs: each order hides its failures in a way of its own. */
function whereLogged({ order, accessLog }: RehearsalResult, phase: number): string[] {
  if (!accessLog) return [];
  if (order === 'elb-first') {
    return [
      `In nginx's access logs they are ${counted(accessLog.proxyLinesAsRequests, 'line')} that begin with PROXY and were answered 400.`,
    ];
  }
  const logged = accessLog.phases[phase]?.failedLogged ?? 0;
  return [
    `Of the failed requests ${logged === 0 ? 'not one stands' : `${count(logged)} stand`} in nginx's access logs.`,
  ];
}

function machine({ machines, nodes, policyDelayMs, release, versions, durationMs }: RehearsalResult): Line[] {
  const [low, high] = policyDelayMs;
  const software = `Debian ${release}, nginx ${versions.nginx}, HAProxy ${versions.haproxy}`;
  const delay = `a policy reaches each after ${low} to ${high} ms`;
  return [
    [
      [
        'dim',
        `${counted(machines, 'machine')} (${software}); ${counted(nodes, 'node')}: ${delay}; ${clock(durationMs)} of traffic`,
      ],
    ],
  ];
}
