/** Stacks as a person deploys them by the AWS CLI, in an environment with machines. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Artifact, readTemplate } from '../../deploy/artifacts.ts';
import { packageTemplate } from '../../deploy/packaged-template.ts';
import type { Environment } from '../../rehearsal/environment.ts';
import { DIST, ROOT } from '../../rehearsal/paths.ts';
import { REGION } from '../../rehearsal/world.ts';
import { aws } from './aws-cli.ts';

export const BUCKET = 'proxyflip-artifacts';
const LIMIT_MS = 150_000;

/** As npm run package puts it into the bucket. @returns the file to deploy */
export async function packagedTemplate({ s3 }: Environment, name: string, folder: string): Promise<string> {
  const artifacts = JSON.parse(await readFile(path.join(DIST, 'artifacts.json'), 'utf8')) as Artifact[];
  for (const { key, file } of artifacts) await s3.putObject(BUCKET, key, await readFile(path.join(ROOT, file)));
  const place = { bucket: BUCKET, prefix: '', region: REGION };
  const templates = packageTemplate(name, (each) => readTemplate(ROOT, each), place);
  for (const { key, text } of templates) await s3.putObject(BUCKET, key, Buffer.from(text));
  const file = path.join(folder, `${name}.yaml`);
  await writeFile(file, templates.at(-1)?.text ?? '');
  return file;
}

export async function stackStatus({ endpoint }: Environment, name: string): Promise<string> {
  try {
    const { Stacks } = await aws<{ Stacks: [{ StackStatus: string }] }>(
      ...[endpoint.url, 'cloudformation', 'describe-stacks', '--stack-name', name],
    );
    return Stacks[0].StackStatus;
  } catch (error) {
    // Before the change set is there.
    if (/does not exist/.test((error as Error).message)) return 'REVIEW_NOT_YET_COMPLETE';
    throw error;
  }
}

export async function stackOutputs({ endpoint }: Environment, name: string): Promise<Readonly<Record<string, string>>> {
  const query = ['--query', 'Stacks[0].Outputs'];
  const list = await aws<{ OutputKey: string; OutputValue: string }[]>(
    ...[endpoint.url, 'cloudformation', 'describe-stacks', '--stack-name', name, ...query],
  );
  return Object.fromEntries(list.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
}

/** Of every stack, those that are nested included. */
export async function failures({ endpoint, cloudFormation }: Environment): Promise<string[]> {
  const { StackSummaries } = await aws<{ StackSummaries: { StackId: string }[] }>(
    ...[endpoint.url, 'cloudformation', 'list-stacks'],
  );
  return StackSummaries.flatMap(({ StackId }) => cloudFormation.events(StackId))
    .filter(({ ResourceStatus }) => ResourceStatus.endsWith('_FAILED'))
    .map((event) => `${event.LogicalResourceId}: ${event.ResourceStatusReason}`);
}

export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const limit = Date.now() + LIMIT_MS; !(await isSo()); await sleep(250)) {
    if (Date.now() > limit) throw new Error(`after ${LIMIT_MS / 1000} s it is not so that ${what}`);
  }
}
