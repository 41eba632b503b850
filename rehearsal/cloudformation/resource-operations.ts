/**
 * One resource: created, updated, replaced or deleted, with its events as CloudFormation writes them.
 *
 * Each function notes what it does in the stack's events and returns what the resource is then; whoever calls keeps it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../aws/service.ts';
import { ResourceFailure } from './errors.ts';
import { isSame } from './json.ts';
import type { Made, ResourceContext, ResourceType } from './resource-type.ts';
import { type OnEvent, type Stack, type StackResource, setResourceStatus } from './stack.ts';

export interface ResourceOperations {
  /** @param keep called with each state, so that the stack always shows the newest */
  create(stack: Stack, wanted: StackResource, signal: AbortSignal, keep: Keep): Promise<void>;
  update(stack: Stack, before: StackResource, wanted: StackResource, signal: AbortSignal, keep: Keep): Promise<void>;
  replace(stack: Stack, before: StackResource, wanted: StackResource, signal: AbortSignal, keep: Keep): Promise<void>;
  /** @throws ResourceFailure when it is still there after all attempts */
  delete(stack: Stack, resource: StackResource, keep: Keep): Promise<void>;
  isReplaced(before: StackResource, wanted: StackResource): boolean;
}

type Keep = (resource: StackResource) => void;

export interface ResourceOperationsOptions {
  readonly findType: (name: string) => ResourceType | undefined;
  readonly call: (signingName: string, action: string, input: unknown, accessKeyId: string) => Promise<unknown>;
  readonly onEvent: OnEvent;
  /** How often a delete is tried before it has failed. */
  readonly deleteAttempts: number;
  /** Aborted when the rehearsal ends: whatever waits for an answer fails at once. */
  readonly closing: AbortSignal;
}

const DELETE_RETRY_DELAY_MS = 100;

export function createResourceOperations(options: ResourceOperationsOptions): ResourceOperations {
  function typeOf(resource: StackResource): ResourceType {
    const type = options.findType(resource.type);
    if (type === undefined) throw new ResourceFailure(`Resource type ${resource.type} is not in the rehearsal`);
    return type;
  }

  function contextOf(
    stack: Stack,
    resource: StackResource,
    signal: AbortSignal,
    initiated: ResourceContext['initiated'] = () => {},
  ): ResourceContext {
    return {
      initiated,
      stackId: stack.id,
      stackName: stack.name,
      logicalId: resource.logicalId,
      type: resource.type,
      tags: stack.settings.tags,
      capabilities: stack.settings.capabilities,
      signal: AbortSignal.any([signal, options.closing]),
      call: (signingName, action, input) =>
        callAsHandler((...call) => options.call(...call, stack.accessKeyId), signingName, action, input),
      generateName: (maximumLength) => generateName(stack.name, resource.logicalId, maximumLength),
    };
  }

  function note(stack: Stack, resource: StackResource, status: string, reason?: string): StackResource {
    return setResourceStatus(stack, resource, status, reason, options.onEvent);
  }

  /** What both a first creation and a replacement are; they differ in the words. */
  async function make(
    stack: Stack,
    wanted: StackResource,
    signal: AbortSignal,
    keep: Keep,
    verb: 'CREATE' | 'UPDATE',
    started: StackResource,
  ): Promise<void> {
    try {
      const type = typeOf(wanted);
      requireProperties(type, wanted);
      let isInitiated = false;
      const initiate = (physicalId: string): void => {
        isInitiated = true;
        note(stack, { ...wanted, physicalId }, `${verb}_IN_PROGRESS`, 'Resource creation Initiated');
      };
      const made = await type.create(wanted.properties, contextOf(stack, wanted, signal, initiate));
      if (!isInitiated) initiate(made.physicalResourceId);
      keep(note(stack, withMade(wanted, made), `${verb}_COMPLETE`));
    } catch (error) {
      const physicalId = error instanceof ResourceFailure ? error.physicalResourceId : undefined;
      keep(
        note(stack, { ...started, physicalId: physicalId ?? started.physicalId }, `${verb}_FAILED`, reasonOf(error)),
      );
      throw error;
    }
  }

  return {
    async create(stack, wanted, signal, keep) {
      const started = note(stack, wanted, 'CREATE_IN_PROGRESS');
      keep(started);
      await make(stack, wanted, signal, keep, 'CREATE', started);
    },

    async update(stack, before, wanted, signal, keep) {
      const started = note(stack, { ...wanted, physicalId: before.physicalId }, 'UPDATE_IN_PROGRESS');
      // Until the update has succeeded, the resource is what it was.
      keep({ ...before, status: started.status });
      try {
        const type = typeOf(wanted);
        requireProperties(type, wanted);
        const existing = {
          physicalResourceId: before.physicalId ?? '',
          attributes: before.attributes,
          properties: before.properties,
        };
        const made = await type.update(existing, wanted.properties, contextOf(stack, wanted, signal));
        keep(note(stack, withMade(wanted, made), 'UPDATE_COMPLETE'));
      } catch (error) {
        const failed = note(stack, started, 'UPDATE_FAILED', reasonOf(error));
        keep({ ...before, status: failed.status, reason: failed.reason });
        throw error;
      }
    },

    async replace(stack, before, wanted, signal, keep) {
      const words = 'Requested update requires the creation of a new physical resource; hence creating one.';
      const started = note(stack, { ...wanted, physicalId: before.physicalId }, 'UPDATE_IN_PROGRESS', words);
      keep({ ...before, status: started.status });
      await make(stack, wanted, signal, keep, 'UPDATE', { ...before });
    },

    async delete(stack, resource, keep) {
      for (let attempt = 1; ; attempt += 1) {
        const started = note(stack, resource, 'DELETE_IN_PROGRESS');
        keep(started);
        try {
          // Nothing was made, as far as CloudFormation knows.
          if (resource.physicalId !== undefined) {
            const existing = {
              physicalResourceId: resource.physicalId,
              attributes: resource.attributes,
              properties: resource.properties,
            };
            await typeOf(resource).delete(existing, contextOf(stack, resource, new AbortController().signal));
          }
          keep(note(stack, started, 'DELETE_COMPLETE'));
          return;
        } catch (error) {
          keep(note(stack, started, 'DELETE_FAILED', reasonOf(error)));
          if (attempt >= options.deleteAttempts || options.closing.aborted) throw error;
          await sleep(DELETE_RETRY_DELAY_MS);
        }
      }
    },

    isReplaced(before, wanted) {
      const type = typeOf(wanted);
      return (
        type.replacedBy.some((name) => !isSame(before.properties[name] ?? null, wanted.properties[name] ?? null)) ||
        type.requiresReplacement?.(before.properties, wanted.properties) === true
      );
    },
  };
}

function withMade(resource: StackResource, made: Made): StackResource {
  return { ...resource, physicalId: made.physicalResourceId, attributes: made.attributes };
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function requireProperties(type: ResourceType, { logicalId, properties }: StackResource): void {
  const violations = [
    ...type.required
      .filter((name) => properties[name] === undefined)
      .map((name) => `#: required key [${name}] not found`),
    ...Object.keys(properties)
      .filter((name) => type.properties?.includes(name) === false)
      .map((name) => `#: extraneous key [${name}] is not permitted`),
  ];
  if (violations.length === 0) return;
  throw new ResourceFailure(
    `Properties validation failed for resource ${logicalId} with message:\n${violations.join('\n')}`,
  );
}

const SUFFIX_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** 12 characters, as generated names have them. */
export function randomSuffix(): string {
  return [...randomBytes(12)].map((byte) => SUFFIX_LETTERS[byte % SUFFIX_LETTERS.length]).join('');
}

function generateName(stackName: string, logicalId: string, maximumLength: number): string {
  const room = maximumLength - 14;
  const id = logicalId.slice(0, Math.max(room - Math.min(stackName.length, Math.floor(room / 2)), 1));
  return `${stackName.slice(0, room - id.length)}-${id}-${randomSuffix()}`;
}

/** How a resource handler words the error of the service that it calls. */
async function callAsHandler(
  call: ResourceContext['call'],
  signingName: string,
  action: string,
  input: unknown,
): Promise<unknown> {
  try {
    return await call(signingName, action, input);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const service = signingName.charAt(0).toUpperCase() + signingName.slice(1);
    throw new HandlerFailure(
      `Resource handler returned message: "${error.message} (Service: ${service}, Status Code: ${error.statusCode}, Request ID: ${randomUUID()})" (RequestToken: ${randomUUID()}, HandlerErrorCode: ${handlerErrorCode(error.code)})`,
      error.code,
    );
  }
}

/** The service's own code stays at hand: a delete of something that is gone has succeeded. */
export class HandlerFailure extends ResourceFailure {
  readonly code: string;

  constructor(reason: string, code: string) {
    super(reason);
    this.code = code;
  }
}

function handlerErrorCode(code: string): string {
  if (/NotFound|NoSuch|InvalidDocument$/.test(code)) return 'NotFound';
  if (/AlreadyExists|ResourceConflict/.test(code)) return 'AlreadyExists';
  if (/AccessDenied/.test(code)) return 'AccessDenied';
  if (/Throttl|TooManyRequests/.test(code)) return 'Throttling';
  return 'InvalidRequest';
}
