/** The figures of a run that stand side by side with those of others, on the page and in the terminal. */
import type { RehearsalResult } from './result.ts';
import { count, percent } from './words.ts';

export interface Figure {
  /** `… failed` belongs to the one above it. */
  readonly name: string;
  value(result: RehearsalResult): string;
  isBad?(result: RehearsalResult): boolean;
}

export const FIGURES: readonly Figure[] = [
  { name: 'new connections', value: ({ newConnections }) => count(newConnections.sent) },
  {
    name: '… failed',
    value: ({ newConnections: { sent, failed } }) => withShare(failed, sent),
    isBad: ({ newConnections }) => newConnections.failed > 0,
  },
  { name: 'keep-alive requests', value: ({ keepAlive }) => count(keepAlive.sent) },
  {
    name: '… failed',
    value: ({ keepAlive: { sent, failed } }) => withShare(failed, sent),
    isBad: ({ keepAlive }) => keepAlive.failed > 0,
  },
  { name: '… sent again', value: ({ keepAlive: { sent, retried } }) => withShare(retried, sent) },
  {
    name: 'failed requests in an access log',
    value: ({ accessLog }) => (accessLog ? count(accessLog.failedLogged) : 'not looked at'),
  },
  {
    name: 'PROXY lines that nginx took for requests',
    value: ({ accessLog }) => (accessLog ? count(accessLog.proxyLinesAsRequests) : 'not looked at'),
  },
  { name: 'WebSockets', value: ({ webSockets }) => count(webSockets.opened) },
  {
    name: '… dropped',
    value: ({ webSockets }) => count(webSockets.dropped),
    isBad: ({ webSockets }) => webSockets.dropped > 0,
  },
  { name: 'messages', value: ({ webSockets }) => count(webSockets.messagesSent) },
  {
    name: '… lost',
    value: ({ webSockets }) => count(webSockets.messagesLost),
    isBad: ({ webSockets }) => webSockets.messagesLost > 0,
  },
  { name: 'client addresses right', value: ({ clientAddress }) => count(clientAddress.correct) },
  {
    name: '… wrong',
    value: ({ clientAddress }) => count(clientAddress.wrong),
    isBad: ({ clientAddress }) => clientAddress.wrong > 0,
  },
  {
    name: '… unverified',
    value: ({ clientAddress }) => count(clientAddress.unverified),
    isBad: ({ clientAddress }) => clientAddress.unverified > 0,
  },
  {
    name: 'forged PROXY lines believed',
    value: ({ forged }) => `${count(forged.believed)} of ${count(forged.sent)}`,
    isBad: ({ forged }) => forged.believed > 0,
  },
  {
    name: 'half of the new connections answered within',
    value: ({ latencyMs }) => `${count(latencyMs.newConnections.p50)} ms`,
  },
  { name: '… 99 % within', value: ({ latencyMs }) => `${count(latencyMs.newConnections.p99)} ms` },
  { name: 'stack', value: ({ stack }) => (stack.status === 'NONE' ? 'none' : stack.status) },
];

function withShare(part: number, whole: number): string {
  return part === 0 ? '0' : `${count(part)} (${percent(part, whole)})`;
}
