/**
 * The services that watch the others, and how they hang together: what functions write becomes log events, metrics come out of
 * those, alarms and events go to topics and functions.
 */
import type { Dispatcher, Service } from './aws/service.ts';
import { type CloudWatchService, createCloudWatchService } from './cloudwatch/service.ts';
import { createEventsService, type EventsService } from './events/service.ts';
import type { LambdaOptions } from './lambda/service.ts';
import { createLogsService, type LogsService } from './logs/service.ts';
import { createSnsService, type SnsService } from './sns/service.ts';

export interface Monitoring {
  readonly logs: LogsService;
  readonly cloudWatch: CloudWatchService;
  readonly events: EventsService;
  readonly sns: SnsService;
  readonly services: readonly Service[];
  /** What Lambda has to tell. */
  readonly lambda: Required<Pick<LambdaOptions, 'log' | 'onInvocation'>>;
  close(): Promise<void>;
}

export function createMonitoring(dispatcher: () => Dispatcher): Monitoring {
  const cloudWatch = createCloudWatchService({ dispatcher });
  const logs = createLogsService({ onMessage: (message) => cloudWatch.readLogLine(message) });
  const sns = createSnsService({ dispatcher });
  const events = createEventsService({
    dispatcher,
    onDelivered: ({ ruleName, outcome }) => {
      const id = { namespace: 'AWS/Events', dimensions: { RuleName: ruleName } };
      cloudWatch.measure({ ...id, name: 'Invocations' }, 1, 'Count');
      if (outcome === 'failed') cloudWatch.measure({ ...id, name: 'FailedInvocations' }, 1, 'Count');
    },
  });
  return {
    logs,
    cloudWatch,
    events,
    sns,
    services: [logs, cloudWatch, events, sns],
    lambda: {
      log({ logGroup, functionName, text }) {
        const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
        logs.append(logGroup, `${day}/[$LATEST]${functionName}`, text);
      },
      onInvocation({ functionName, durationMs = 0, failed = false }) {
        const id = { namespace: 'AWS/Lambda', dimensions: { FunctionName: functionName } };
        cloudWatch.measure({ ...id, name: 'Invocations' }, 1, 'Count');
        cloudWatch.measure({ ...id, name: 'Errors' }, failed ? 1 : 0, 'Count');
        cloudWatch.measure({ ...id, name: 'Duration' }, durationMs, 'Milliseconds');
      },
    },
    async close() {
      cloudWatch.close();
      await events.close();
    },
  };
}
