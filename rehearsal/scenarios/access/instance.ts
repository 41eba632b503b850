/**
 * An instance that comes later, with a role and nothing else: its agent reads what to join as, and the Command document fetches the
 * chat from S3, both by the role.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ListCommandInvocationsCommand } from '@aws-sdk/client-ssm';
import type { Environment } from '../../environment.ts';
import { launchInstance } from '../../fleet.ts';
import { ADDRESSES } from '../../network/fabric.ts';
import { type Machine, REGION } from '../../world.ts';
import { INSTANCE_ROLE, type Session } from './people.ts';

/** An instance installs nginx’s configuration and the chat in some seconds. */
const LIMIT_MS = 90_000;
const POLL_MS = 500;

/** @returns how the first run of the association ended, and the session that the instance's own metadata service gives it */
export async function joinOneInstance(
  environment: Environment,
  interrupted: AbortSignal,
): Promise<{ readonly ended: string; readonly session: Session }> {
  const { instanceId, machine } = await launchInstance(environment, environment.world.instances.size, INSTANCE_ROLE);
  const ended = await joined(environment, instanceId, interrupted);
  return { ended, session: await sessionOf(machine, environment.endpoint.url) };
}

async function joined({ clients }: Environment, instanceId: string, interrupted: AbortSignal): Promise<string> {
  const limit = Date.now() + LIMIT_MS;
  for (;;) {
    interrupted.throwIfAborted();
    const { CommandInvocations = [] } = await clients.ssm.send(
      new ListCommandInvocationsCommand({ InstanceId: instanceId, Details: true }),
    );
    const done = CommandInvocations.find(({ Status }) => Status === 'Success' || Status === 'Failed');
    if (done?.Status === 'Success') return 'Success';
    if (done !== undefined) return `${done.StatusDetails}: ${done.CommandPlugins?.[0]?.Output?.trim()}`;
    if (Date.now() > limit) return `not joined after ${LIMIT_MS / 1000} s`;
    await sleep(POLL_MS);
  }
}

/** As the AWS CLI on the instance gets it. */
async function sessionOf(machine: Machine, endpoint: string): Promise<Session> {
  const ask = async (path: string, ...more: string[]): Promise<string> => {
    const url = `http://${ADDRESSES.metadata}/latest/${path}`;
    return (await machine.exec(['curl', '--silent', '--fail', ...more, url])).stdout;
  };
  const token = await ask('api/token', '--request', 'PUT', '--header', 'X-aws-ec2-metadata-token-ttl-seconds: 60');
  const credentials = await ask(
    `meta-data/iam/security-credentials/${INSTANCE_ROLE}`,
    '--header',
    `X-aws-ec2-metadata-token: ${token}`,
  );
  const { AccessKeyId, SecretAccessKey, Token } = JSON.parse(credentials || '{}');
  return {
    region: REGION,
    endpoint,
    credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token },
  };
}
