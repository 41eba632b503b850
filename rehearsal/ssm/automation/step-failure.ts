/** Why a step failed, as the execution reports it. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly details: Readonly<Record<string, string[]>>;

  constructor(message: string, details: Readonly<Record<string, string[]>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.details = details;
  }
}

/** The reason with which a step is aborted whose time is over. */
export class StepTimedOut extends Error {
  override readonly name = 'StepTimedOut';
}

/** The reason with which an execution is aborted that somebody stopped, or whose cancellation took too long. */
export class ExecutionStopped extends Error {
  override readonly name = 'ExecutionStopped';
}
