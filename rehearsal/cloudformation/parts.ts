/** What the actions work with. */
import type { Action } from '../aws/service.ts';
import type { Deployment } from './deployment.ts';
import type { RequestOptions } from './request.ts';
import type { StackStore } from './stack.ts';

export interface CloudFormationParts extends RequestOptions {
  readonly store: StackStore;
  readonly deployment: Deployment;
}

export type CloudFormationActions<Name extends string> = (parts: CloudFormationParts) => Readonly<Record<Name, Action>>;
