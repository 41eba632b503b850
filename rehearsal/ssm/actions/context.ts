import type { World } from '../../world.ts';
import type { AssociationStore } from '../associations.ts';
import type { Automation } from '../automation/automation.ts';
import type { Clock } from '../clock.ts';
import type { DocumentStore } from '../documents.ts';
import type { ParameterStore } from '../parameters.ts';
import type { RunCommand, RunCommandOptions } from '../run-command/run-command.ts';

/** What an action may use. */
export interface SsmContext {
  readonly world: World;
  readonly clock: Clock;
  readonly documents: DocumentStore;
  readonly parameters: ParameterStore;
  readonly runCommand: RunCommand;
  readonly automation: Automation;
  readonly associations: AssociationStore;
  readonly options: RunCommandOptions;
}
