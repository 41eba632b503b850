/**
 * State Manager, as far as a new instance needs it: an association is applied to its targets when it is created, and to an
 * instance when that comes online ("when a matching node comes online"). There is no order against the load balancer's
 * health checks, and no schedule.
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
}

interface Association {
  readonly input: CreateAssociationInput;
  readonly description: AssociationDescription;
  /** The instances that it was applied to since they came online. */
  readonly applied: Set<string>;
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
    if (!input.Targets?.length && input.InstanceId === undefined)
      throw validationError('Targets or InstanceId must be specified.');
    const now = new Date(this.#clock.now());
    const id = randomUUID();
    const association: Association = {
      input,
      description: {
        AssociationId: id,
        Name: input.Name,
        AssociationVersion: '1',
        Date: now,
        LastUpdateAssociationDate: now,
        DocumentVersion: input.DocumentVersion ?? '$DEFAULT',
        Targets: targetsOf(input).map(({ Key, Values }) => ({ Key, Values: [...(Values ?? [])] })),
        Overview: { Status: 'Pending', DetailedStatus: 'Creating' },
        ...(input.InstanceId === undefined ? {} : { InstanceId: input.InstanceId }),
        ...(input.AssociationName === undefined ? {} : { AssociationName: input.AssociationName }),
        ...(input.Parameters
          ? {
              Parameters: Object.fromEntries(
                Object.entries(input.Parameters).map(([name, values]) => [name, [...values]]),
              ),
            }
          : {}),
      },
      applied: new Set(),
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

  delete(id: string): void {
    this.#get(id);
    this.#associations.delete(id);
  }

  /** Sends each association to the matching instances that have come online since it was last asked. */
  applyToNewInstances(): void {
    for (const association of this.#associations.values()) {
      for (const instance of this.#world.instances.values()) {
        if (!isOnline(instance)) association.applied.delete(instance.instanceId);
        else if (!association.applied.has(instance.instanceId) && isTarget(instance, association.input)) {
          association.applied.add(instance.instanceId);
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

const targetsOf = ({ Targets, InstanceId }: CreateAssociationInput) =>
  InstanceId === undefined ? (Targets ?? []) : [{ Key: 'InstanceIds', Values: [InstanceId] }];

function isTarget(instance: Instance, input: CreateAssociationInput): boolean {
  return targetsOf(input).every(({ Key = '', Values = [] }) =>
    Key === 'InstanceIds'
      ? Values.includes(instance.instanceId) || Values.includes('*')
      : Values.includes(instance.tags[Key.replace(/^tag:/, '')] ?? '\u0000'),
  );
}
