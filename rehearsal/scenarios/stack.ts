/** The product's stack, created, updated and deleted as a user does it: from the shipped template, by the API. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type StackEvent,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import type { Environment } from '../environment.ts';
import { ARTIFACT_BUCKET, FLEET_TAG, type Fleet, LOAD_BALANCER } from '../fleet.ts';
import { DIST } from '../paths.ts';
import { REGION } from '../world.ts';
import type { ScenarioOptions } from './options.ts';

export const STACK = 'chat-proxy-protocol';
const TEMPLATE_KEY = 'proxy-protocol.yaml';

/** CloudFormation's own bound for a custom resource is an hour; a policy that takes two minutes to a node is far below it. */
const LIMIT_MS = 1_800_000;

/** The bound is spread over the rounds of measuring: with the one that ships, 900 s, they are 10 s apart. */
const MEASURE_SECONDS = '180';

/** Where stacks are made; machines are not asked for. */
type Account = Pick<Environment, 'clients' | 's3'>;

export type StackParameters = Readonly<Record<string, string>>;

/** What this rehearsal's fleet needs, of the stack and of the runbook alike. */
export function fleetParameters(fleet: Fleet, { quietSeconds }: ScenarioOptions): StackParameters {
  return {
    LoadBalancerName: LOAD_BALANCER,
    FleetTagKey: FLEET_TAG.key,
    FleetTagValue: FLEET_TAG.value,
    ...(quietSeconds === undefined ? {} : { QuietSeconds: String(quietSeconds), MeasureSeconds: MEASURE_SECONDS }),
    ...fleet.chat,
  };
}

export function stackParameters(fleet: Fleet, options: ScenarioOptions): StackParameters {
  return { ...fleetParameters(fleet, options), ArtifactBucket: ARTIFACT_BUCKET };
}

export async function createStack(
  environment: Account,
  parameters: StackParameters,
  name: string = STACK,
): Promise<void> {
  const artifacts = JSON.parse(await readFile(path.join(DIST, 'artifacts.json'), 'utf8'));
  for (const { key, file } of artifacts.filter(({ key }: { key: string }) => key.startsWith('functions/'))) {
    await environment.s3.putObject(ARTIFACT_BUCKET, key, await readFile(path.join(DIST, '..', file)));
  }
  const template = await readFile(path.join(DIST, 'cloudformation/proxy-protocol.yaml'));
  await environment.s3.putObject(ARTIFACT_BUCKET, TEMPLATE_KEY, template);
  await environment.clients.cloudFormation.send(
    new CreateStackCommand({
      StackName: name,
      TemplateURL: `https://${ARTIFACT_BUCKET}.s3.${REGION}.amazonaws.com/${TEMPLATE_KEY}`,
      Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({
        ParameterKey,
        ParameterValue,
      })),
      Capabilities: ['CAPABILITY_IAM'],
    }),
  );
}

/** The parameters only: the template stays. @throws ValidationError  nothing would change */
export async function updateStack(environment: Environment, parameters: StackParameters): Promise<void> {
  await environment.clients.cloudFormation.send(
    new UpdateStackCommand({
      StackName: STACK,
      UsePreviousTemplate: true,
      Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({
        ParameterKey,
        ParameterValue,
      })),
      Capabilities: ['CAPABILITY_IAM'],
    }),
  );
}

export async function deleteStack(environment: Environment, name: string = STACK): Promise<void> {
  await environment.clients.cloudFormation.send(new DeleteStackCommand({ StackName: name }));
}

/**
 * Wait until the stack is at rest.
 *
 * @returns its status: `CREATE_COMPLETE`, `ROLLBACK_COMPLETE` … or `DELETE_COMPLETE` when it is gone
 */
export async function waitForStack(
  environment: Account,
  interrupted: AbortSignal,
  name: string = STACK,
): Promise<string> {
  const limit = Date.now() + LIMIT_MS;
  for (;;) {
    interrupted.throwIfAborted();
    const status = await stackStatus(environment, name);
    if (!status.endsWith('_IN_PROGRESS')) return status;
    if (Date.now() > limit) return status;
    await sleep(500);
  }
}

async function stackStatus(environment: Account, name: string): Promise<string> {
  try {
    const { Stacks } = await environment.clients.cloudFormation.send(new DescribeStacksCommand({ StackName: name }));
    return Stacks?.[0]?.StackStatus ?? 'DELETE_COMPLETE';
  } catch (error) {
    // By name it is not found once it has been deleted.
    if ((error as Error).name === 'ValidationError') return 'DELETE_COMPLETE';
    throw error;
  }
}

/** Oldest first; none while there is no stack. */
export async function stackEvents(environment: Environment, name: string = STACK): Promise<readonly StackEvent[]> {
  try {
    const { StackEvents = [] } = await environment.clients.cloudFormation.send(
      new DescribeStackEventsCommand({ StackName: name }),
    );
    return StackEvents.reverse();
  } catch (error) {
    if ((error as Error).name === 'ValidationError') return [];
    throw error;
  }
}
