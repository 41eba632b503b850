/** What a resource type is to a stack. One file for each type in `resources/`. */
import type { Json, JsonObject } from './json.ts';

export interface ResourceContext {
  readonly stackId: string;
  readonly stackName: string;
  readonly logicalId: string;
  readonly type: string;
  /** Tags of the stack, which most resources take over. */
  readonly tags: Readonly<Record<string, string>>;
  /** What was acknowledged for the stack, and so for those that it nests. */
  readonly capabilities: readonly string[];
  /** Aborted when another resource has failed, or the operation is cancelled. */
  readonly signal: AbortSignal;
  /** Through the actions that clients use. @throws ResourceFailure in CloudFormation's words */
  call(signingName: string, action: string, input: unknown): Promise<unknown>;
  /**
   * Tell that it has an id from now on, where making it takes long; else that is told when it is made. Source: events of nested
   * stacks, "Resource creation Initiated" with the id while what is in them is still being made.
   */
  initiated(physicalResourceId: string): void;
  /** `<stack>-<logical id>-<suffix>`, at most so long. */
  generateName(maximumLength: number): string;
}

/** What exists after a create or an update. */
export interface Made {
  /** Ref gives this, unless `ref` of the type says otherwise. After an update another id means another thing. */
  readonly physicalResourceId: string;
  /** What Fn::GetAtt gives. */
  readonly attributes: Readonly<Record<string, Json>>;
}

export interface Existing extends Made {
  readonly properties: JsonObject;
}

export interface ResourceType {
  /** `AWS::Lambda::Function`, or a prefix that ends in `*`. */
  readonly name: string;
  /** All that a template may set; any other is refused. undefined = any. */
  readonly properties: readonly string[] | undefined;
  readonly required: readonly string[];
  /** A change of one of these makes a new thing, and the old one is deleted when everything else has succeeded. */
  readonly replacedBy: readonly string[];
  /** undefined = any: known when it was made. */
  readonly attributes: readonly string[] | undefined;
  /** What a template with this resource needs acknowledged. */
  capability?(properties: JsonObject): 'CAPABILITY_IAM' | 'CAPABILITY_NAMED_IAM';
  /** Where the changed properties alone do not say it. */
  requiresReplacement?(before: JsonObject, after: JsonObject): boolean;
  create(properties: JsonObject, context: ResourceContext): Promise<Made>;
  update(existing: Existing, properties: JsonObject, context: ResourceContext): Promise<Made>;
  /** Of something that is gone already: succeeds. */
  delete(existing: Existing, context: ResourceContext): Promise<void>;
}
