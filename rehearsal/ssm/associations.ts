/**
 * State Manager, as far as a new instance needs it: an association is applied to its targets when it is created or updated, to an
 * instance when that comes online ("when a matching node comes online"), and at its rate. There is no order against the load
 * balancer's health checks.
 *
 * Source: Systems Manager user guide, "About targets and rate controls in State Manager associations".
 */
import { randomUUID } from 'node:crypto';
import type { AssociationDescription } from '@aws-sdk/client-ssm';
import { ServiceError } from '../aws/service.ts';
import type { Instance, World } from '../world.ts';
import type { Clock } from './clock.ts';
import { validationError } from './errors.ts';
import { isOnline, type RunCommand, type SentCommand } from './run-command/run-command.ts';

const POLL_MS = 250;

export interface CreateAssociationInput {
  readonly Name: string;
  readonly DocumentVersion?: string;
  readonly InstanceId?: string;
  readonly Targets?: readonly { readonly Key?: string; readonly Values?: readonly string[] }[];
  readonly Parameters?: Readonly<Record<string, readonly string[]>>;
  readonly AssociationName?: string;
  /** `rate(30 minutes)`, and nothing else. */
  readonly ScheduleExpression?: string;
}

interface Association {
  readonly input: CreateAssociationInput;
  readonly description: AssociationDescription;
  /** The instances that it was applied to since they came online, and when. Milliseconds since the epoch. */
  readonly applied: Map<string, number>;
  readonly intervalMs: number;
  last: SentCommand | undefined;
}

export class AssociationStore {
  readonly #associations = new Map<string, Association>();
  readonly #world: World;
  readonly #runCommand: RunCommand;
  readonly #clock: Clock;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(world: World, runCommand: RunCommand, clock: Clock) {
    this.#world = world;
    this.#runCommand = runCommand;
    this.#clock = clock;
  }

  create(input: CreateAssociationInput): AssociationDescription {
    return this.#put(randomUUID(), 1, input);
  }

  /** "The system removes all optional parameters from the request", so what is not given is gone; and it runs at once. */
  update(id: string, input: CreateAssociationInput): AssociationDescription {
    const version = Number(this.#get(id).description.AssociationVersion) + 1;
    return this.#put(id, version, input);
  }

  #put(id: string, version: number, input: CreateAssociationInput): AssociationDescription {
    if (!input.Targets?.length && input.InstanceId === undefined)
      throw validationError('Targets or InstanceId must be specified.');
    const now = new Date(this.#clock.now());
    const association: Association = {
      input,
      description: {
        AssociationId: id,
        Name: input.Name,
        AssociationVersion: String(version),
        Date: now,
        LastUpdateAssociationDate: now,
        DocumentVersion: input.DocumentVersion ?? '$DEFAULT',
        Targets: targetsOf(input).map(({ Key, Values }) => ({ Key, Values: [...(Values ?? [])] })),
        Overview: { Status: 'Pending', DetailedStatus: 'Creating' },
        ...(input.InstanceId === undefined ? {} : { InstanceId: input.InstanceId }),
        ...(input.AssociationName === undefined ? {} : { AssociationName: input.AssociationName }),
        ...(input.ScheduleExpression === undefined ? {} : { ScheduleExpression: input.ScheduleExpression }),
        ...(input.Parameters
          ? {
              Parameters: Object.fromEntries(
                Object.entries(input.Parameters).map(([name, values]) => [name, [...values]]),
              ),
            }
          : {}),
      },
      applied: new Map(),
      intervalMs: interval(input.ScheduleExpression),
      last: undefined,
    };
    this.#associations.set(id, association);
    this.#timer ??= setInterval(() => this.applyToNewInstances(), POLL_MS).unref();
    return association.description;
  }

  describe(id: string): AssociationDescription {
    const association = this.#get(id);
    const { last } = association;
    if (!last) return association.description;
    const { Status = 'Pending', StatusDetails = '' } = last.summary;
    return { ...association.description, Overview: { Status, DetailedStatus: StatusDetails } };
  }

  list(): AssociationDescription[] {
    return [...this.#associations.keys()].map((id) => this.describe(id));
  }

  delete(id: string): void {
    this.#get(id);
    this.#associations.delete(id);
  }

  /** Sends each association to the matching instances that have come online since it was last asked, or whose time has come. */
  applyToNewInstances(): void {
    for (const association of this.#associations.values()) {
      for (const instance of this.#world.managedInstances()) {
        const { applied, intervalMs } = association;
        const appliedAt = applied.get(instance.instanceId);
        const isDue = appliedAt === undefined || this.#clock.now() >= appliedAt + intervalMs;
        if (!isOnline(instance)) applied.delete(instance.instanceId);
        else if (isDue && isTarget(instance, association.input)) {
          applied.set(instance.instanceId, this.#clock.now());
          const { Name, DocumentVersion, Parameters } = association.input;
          const { id } = this.#runCommand.send({
            DocumentName: Name,
            InstanceIds: [instance.instanceId],
            ...(DocumentVersion === undefined ? {} : { DocumentVersion }),
            ...(Parameters === undefined ? {} : { Parameters }),
          });
          association.last = this.#runCommand.find(id);
        }
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #get(id: string): Association {
    const association = this.#associations.get(id);
    if (!association) throw new ServiceError('AssociationDoesNotExist', `The association ${id} does not exist.`);
    return association;
  }
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** Without a rate it is once. "The minimum interval is 30 minutes." */
function interval(expression: string | undefined): number {
  if (expression === undefined) return Number.POSITIVE_INFINITY;
  const [, count = '', unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const intervalMs = Number(count) * (UNIT_MS[unit] ?? 0);
  if (intervalMs < 1_800_000)
    throw new ServiceError('InvalidSchedule', `The schedule ${expression} is not a rate of 30 minutes or more.`);
  return intervalMs;
}

const targetsOf = ({ Targets, InstanceId }: CreateAssociationInput) =>
  InstanceId === undefined ? (Targets ?? []) : [{ Key: 'InstanceIds', Values: [InstanceId] }];

function isTarget(instance: Instance, input: CreateAssociationInput): boolean {
  return targetsOf(input).every(({ Key = '', Values = [] }) =>
    Key === 'InstanceIds'
      ? Values.includes(instance.instanceId) || Values.includes('*')
      : Values.includes(instance.tags[Key.replace(/^tag:/, '')] ?? '\u0000'),
  );
}
