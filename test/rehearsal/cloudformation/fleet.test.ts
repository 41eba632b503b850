/** The whole example and what it is made of, on an account whose machines and network are only written down. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { packageTemplate } from '../../../deploy/packaged-template.ts';
import { ACCOUNT_ID, REGION } from '../../../rehearsal/world.ts';
import { readTemplates } from '../../cloudformation/template.ts';
import { type FleetAccount, startFleetAccount } from './fleet-account.ts';

const BUCKET = 'artifacts';
const STACK = 'chat';

let account: FleetAccount;
beforeEach(async () => {
  account = await startFleetAccount();
});
afterEach(() => account.close());

/** As npm run package uploads it; the functions' archives are never run here. */
function upload(): string {
  const place = { bucket: BUCKET, prefix: '', region: REGION };
  const templates = packageTemplate('chat-fleet', (name) => JSON.stringify(readTemplates()[`${name}.yaml`]), place);
  for (const { key, text } of templates) account.objects.set(`${BUCKET}/${key}`, Buffer.from(text));
  return templates.at(-1)?.url ?? '';
}

const parameters = (more: Record<string, string> = {}) =>
  Object.entries({
    CertificateArn: `arn:aws:acm:${REGION}:${ACCOUNT_ID}:certificate/chat`,
    SwitchFromStack: 'No',
    ...more,
  }).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));

async function create(more?: Record<string, string>): Promise<string> {
  const { StackId } = (await account.call('cloudformation', 'CreateStack', {
    StackName: STACK,
    TemplateURL: upload(),
    Capabilities: ['CAPABILITY_IAM'],
    Parameters: parameters(more),
  })) as { StackId: string };
  return account.cloudFormation.settled(StackId);
}

const failures = () =>
  account.cloudFormation
    .events(STACK)
    .filter(({ ResourceStatus }) => ResourceStatus.endsWith('_FAILED'))
    .map((event) => `${event.LogicalResourceId}: ${event.ResourceStatusReason}`);

describe('chat-fleet.yaml', () => {
  test('is made', async () => {
    const status = await create();
    expect(failures()).toEqual([]);
    expect(status).toBe('CREATE_COMPLETE');
  });
});
