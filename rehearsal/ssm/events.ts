/** State changes, for a live view: what happened, to which thing, and when (`at`, milliseconds since the epoch). */
export type SsmEvent = { readonly at: number } & (
  | {
      readonly type: 'execution';
      readonly executionId: string;
      readonly documentName: string;
      readonly status: string;
    }
  | {
      readonly type: 'step';
      readonly executionId: string;
      readonly stepExecutionId: string;
      readonly stepName: string;
      readonly action: string;
      readonly status: string;
      /** The round of the aws:loop that the step belongs to, from 1. */
      readonly iteration: number | undefined;
      readonly failureMessage: string | undefined;
    }
  | {
      readonly type: 'command';
      readonly commandId: string;
      readonly documentName: string;
      readonly status: string;
      readonly statusDetails: string;
    }
  | {
      readonly type: 'invocation';
      readonly commandId: string;
      readonly instanceId: string;
      readonly documentName: string;
      readonly status: string;
      readonly statusDetails: string;
    }
);

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never;

/** An event before it is published, which gives it its time. */
export type SsmEventBody = WithoutTime<SsmEvent>;

export type Publish = (event: SsmEventBody) => void;
