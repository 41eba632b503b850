/**
 * Which permissions an emulated action needs, on which resources. A service has a file of its own; what is in none, such as the making
 * of networks, is for administrators, and refused to every role by name. What a shipped policy names is here (`requirements.test.ts`).
 *
 * Source of all: Service Authorization Reference, the service's page: "Resource types" of the action (all that are marked with an
 * asterisk are needed), or `*` where it has none.
 */
import type { Permission } from '../evaluate.ts';
import { autoscaling } from './autoscaling.ts';
import { cloudformation } from './cloudformation.ts';
import { ec2 } from './ec2.ts';
import { elasticloadbalancing } from './elasticloadbalancing.ts';
import { elbv2 } from './elbv2.ts';
import { events } from './events.ts';
import { lambda } from './lambda.ts';
import { ssm } from './ssm.ts';
import { sts } from './sts.ts';

/** What a requirement cannot read from the input alone. */
export interface Facts {
  /** The role that an Automation document names, or undefined: then it runs as its caller. */
  assumeRoleOf(documentName: string, documentVersion: string | undefined): string | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: the input has been held to the API's schema before
export type Requirement = (input: any, facts: Facts) => readonly Permission[];
export type Requirements = Readonly<Record<string, Requirement>>;

/** By the service's name. */
const SERVICES: Readonly<Record<string, Requirements>> = {
  autoscaling,
  cloudformation,
  ec2,
  elasticloadbalancing,
  elbv2,
  events,
  lambda,
  ssm,
  sts,
};

/** @returns undefined for an action that nobody has said it of */
export function permissionsFor(
  service: string,
  action: string,
  input: unknown,
  facts: Facts,
): readonly Permission[] | undefined {
  const requirements = SERVICES[service] ?? {};
  return Object.hasOwn(requirements, action) ? requirements[action]?.(input, facts) : undefined;
}
