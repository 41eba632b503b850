/** A stack, what is in it and what happened to it. */
import { randomUUID } from 'node:crypto';
import { ACCOUNT_ID, REGION } from '../world.ts';
import { stackNotFound } from './errors.ts';
import type { Json, JsonObject } from './json.ts';
import type { PreparedTemplate } from './prepare.ts';

export interface StackResource {
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string | undefined;
  readonly properties: JsonObject;
  readonly attributes: Readonly<Record<string, Json>>;
  readonly deletionPolicy: 'Delete' | 'Retain' | 'RetainExceptOnCreate';
  readonly updateReplacePolicy: 'Delete' | 'Retain';
  /** What it was made after, so what it has to be deleted before. */
  readonly dependsOn: ReadonlySet<string>;
  readonly status: string;
  readonly reason: string | undefined;
  readonly updatedAt: Date;
}

export interface StackEvent {
  readonly StackId: string;
  readonly StackName: string;
  readonly EventId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId: string;
  readonly ResourceType: string;
  readonly Timestamp: Date;
  readonly ResourceStatus: string;
  readonly ResourceStatusReason?: string;
  readonly ResourceProperties?: string;
  readonly ClientRequestToken?: string;
}

export interface StackOutput {
  readonly OutputKey: string;
  readonly OutputValue: string;
  readonly Description?: string;
  readonly ExportName?: string;
}

export interface ChangeSet {
  readonly id: string;
  readonly name: string;
  readonly type: 'CREATE' | 'UPDATE';
  readonly createdAt: Date;
  readonly description: string | undefined;
  readonly settings: StackSettings;
  prepared: PreparedTemplate | undefined;
  changes: readonly unknown[];
  status: 'CREATE_COMPLETE' | 'FAILED';
  statusReason: string | undefined;
  executionStatus: 'AVAILABLE' | 'UNAVAILABLE' | 'EXECUTE_IN_PROGRESS' | 'EXECUTE_COMPLETE';
}

/** What a create or an update may say beside template and parameters. */
export interface StackSettings {
  readonly capabilities: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly onFailure: 'ROLLBACK' | 'DELETE' | 'DO_NOTHING';
  readonly clientRequestToken: string | undefined;
}

export interface Stack {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  updatedAt: Date | undefined;
  deletedAt: Date | undefined;
  status: string;
  reason: string | undefined;
  settings: StackSettings;
  /** Who began what runs now: what the stack does, it does as them. */
  accessKeyId: string;
  terminationProtection: boolean;
  prepared: PreparedTemplate | undefined;
  resources: Map<string, StackResource>;
  outputs: readonly StackOutput[];
  /** Newest last. */
  readonly events: StackEvent[];
  readonly changeSets: Map<string, ChangeSet>;
  /** What runs now: how to cancel it, and when it is over. */
  operation: { readonly cancel: AbortController; readonly done: Promise<void> } | undefined;
  /** After UPDATE_ROLLBACK_FAILED. */
  continueRollback: ((skip: readonly string[]) => Promise<void>) | undefined;
}

export function createStackRecord(name: string, settings: StackSettings, accessKeyId: string): Stack {
  return {
    id: `arn:aws:cloudformation:${REGION}:${ACCOUNT_ID}:stack/${name}/${randomUUID()}`,
    name,
    createdAt: new Date(),
    updatedAt: undefined,
    deletedAt: undefined,
    status: 'REVIEW_IN_PROGRESS',
    reason: undefined,
    settings,
    accessKeyId,
    terminationProtection: false,
    prepared: undefined,
    resources: new Map(),
    outputs: [],
    events: [],
    changeSets: new Map(),
    operation: undefined,
    continueRollback: undefined,
  };
}

/** Stacks by name while they live; a deleted one is found by its id alone. */
export class StackStore {
  readonly #stacks: Stack[] = [];

  /** @throws ServiceError ValidationError  no such stack */
  get(nameOrId: string): Stack {
    const found = this.find(nameOrId);
    if (found === undefined) throw stackNotFound(nameOrId);
    return found;
  }

  find(nameOrId: string): Stack | undefined {
    return nameOrId.startsWith('arn:')
      ? this.#stacks.find(({ id }) => id === nameOrId)
      : this.living().find(({ name }) => name === nameOrId);
  }

  living(): Stack[] {
    return this.#stacks.filter(({ status }) => status !== 'DELETE_COMPLETE');
  }

  all(): readonly Stack[] {
    return this.#stacks;
  }

  add(stack: Stack): void {
    this.#stacks.push(stack);
  }
}

export type OnEvent = (event: StackEvent) => void;

export function setStackStatus(stack: Stack, status: string, reason: string | undefined, onEvent: OnEvent): void {
  stack.status = status;
  stack.reason = reason;
  pushEvent(stack, onEvent, {
    LogicalResourceId: stack.name,
    PhysicalResourceId: stack.id,
    ResourceType: 'AWS::CloudFormation::Stack',
    ResourceStatus: status,
    ...(reason !== undefined && { ResourceStatusReason: reason }),
  });
}

/** Note what a resource is now. @returns the resource with the status */
export function setResourceStatus(
  stack: Stack,
  resource: StackResource,
  status: string,
  reason: string | undefined,
  onEvent: OnEvent,
): StackResource {
  pushEvent(stack, onEvent, {
    LogicalResourceId: resource.logicalId,
    PhysicalResourceId: resource.physicalId ?? '',
    ResourceType: resource.type,
    ResourceStatus: status,
    ...(reason !== undefined && { ResourceStatusReason: reason }),
    ResourceProperties: JSON.stringify(resource.properties),
  });
  return { ...resource, status, reason, updatedAt: new Date() };
}

function pushEvent(
  stack: Stack,
  onEvent: OnEvent,
  event: Omit<StackEvent, 'StackId' | 'StackName' | 'EventId' | 'Timestamp'>,
): void {
  const full: StackEvent = {
    StackId: stack.id,
    StackName: stack.name,
    EventId: randomUUID(),
    Timestamp: new Date(),
    ...event,
    ...(stack.settings.clientRequestToken !== undefined && { ClientRequestToken: stack.settings.clientRequestToken }),
  };
  stack.events.push(full);
  onEvent(full);
}
