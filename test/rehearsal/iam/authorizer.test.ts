/** The authorizer in front of real services, called by the SDK's own clients as sessions of roles. */

import { EC2 } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancing } from '@aws-sdk/client-elastic-load-balancing';
import { SSM } from '@aws-sdk/client-ssm';
import { STS } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import type { Service } from '../../../rehearsal/aws/service.ts';
import { createStsService } from '../../../rehearsal/aws/sts.ts';
import { type Authorizer, createAuthorizer } from '../../../rehearsal/iam/authorizer.ts';
import { sessionKey } from '../../../rehearsal/iam/caller.ts';
import { IamStore } from '../../../rehearsal/iam/store.ts';

const ROLE = 'worker';
const ROLE_ARN = `arn:aws:iam::111122223333:role/${ROLE}`;
const PARAMETER = 'arn:aws:ssm:eu-central-1:111122223333:parameter/proxyflip/web';

let iam: IamStore;
let authorizer: Authorizer;
let endpoint: AwsEndpoint;

const answering = (signingName: string, protocol: Service['protocol'], names: readonly string[]): Service => ({
  signingName,
  protocol,
  actions: Object.fromEntries(names.map((name) => [name, () => ({})])),
});
const origin = (policyName: string) => ({ stackName: 'web', resource: 'Role', policyName });
function allow(statements: object[]): void {
  iam.roles
    .get(ROLE)
    ?.inlinePolicies.set('own', iam.read({ Version: '2012-10-17', Statement: statements }, 'identity', origin('own')));
}
const as = (accessKeyId: string) => ({
  endpoint: endpoint.url,
  region: 'eu-central-1',
  maxAttempts: 1,
  credentials: { accessKeyId, secretAccessKey: 'any' },
});
const worker = sessionKey(ROLE, 'test');

beforeEach(async () => {
  iam = new IamStore();
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:root' }, Action: 'sts:AssumeRole' }],
  };
  iam.roles.set(ROLE, {
    name: ROLE,
    arn: ROLE_ARN,
    id: 'AROA1',
    trust: iam.read(trust, 'trust', origin('trust')),
    inlinePolicies: new Map(),
    managedPolicyArns: new Set(),
  });
  authorizer = createAuthorizer({
    iam,
    facts: { assumeRoleOf: (name) => (name === 'switch' ? 'arn:aws:iam::111122223333:role/automation' : undefined) },
  });
  endpoint = await startAwsEndpoint({
    services: [
      answering('ssm', 'awsJson1_1', ['GetParameter', 'SendCommand', 'StartAutomationExecution', 'StartSession']),
      answering('elasticloadbalancing', 'awsQuery', ['DescribeLoadBalancers', 'DeleteLoadBalancerPolicy']),
      answering('ec2', 'ec2Query', ['DescribeSubnets']),
      createStsService(authorizer),
    ],
    interceptors: [authorizer],
  });
});
afterEach(() => endpoint.close());

describe('a session of a role', () => {
  test('may what a statement allows, and is refused the rest in the words of AWS', async () => {
    allow([{ Effect: 'Allow', Action: 'ssm:GetParameter', Resource: PARAMETER }]);
    const ssm = new SSM(as(worker));
    await ssm.getParameter({ Name: '/proxyflip/web' });
    await expect(ssm.getParameter({ Name: '/proxyflip/other' })).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: `User: arn:aws:sts::111122223333:assumed-role/worker/test is not authorized to perform: ssm:GetParameter on resource: ${PARAMETER.replace('web', 'other')} because no identity-based policy allows the ssm:GetParameter action`,
    });
    expect(authorizer.refusals).toEqual([
      { roleName: ROLE, action: 'ssm:GetParameter', resource: PARAMETER.replace('web', 'other') },
    ]);
  });

  test.each([
    {
      service: 'Elastic Load Balancing',
      call: () => new ElasticLoadBalancing(as(worker)).describeLoadBalancers({}),
      name: 'AccessDenied',
      status: 403,
    },
    {
      service: 'EC2',
      call: () => new EC2(as(worker)).describeSubnets({}),
      name: 'UnauthorizedOperation',
      status: 403,
    },
    {
      service: 'Systems Manager',
      call: () => new SSM(as(worker)).getParameter({ Name: 'x' }),
      name: 'AccessDeniedException',
      status: 400,
    },
  ])('$service says $name', async ({ call, name, status }) => {
    await expect(call()).rejects.toMatchObject({ name, $metadata: { httpStatusCode: status } });
  });

  test('sends a command only where document and instances are allowed, both', async () => {
    const command = { DocumentName: 'receiver', InstanceIds: ['i-0123456789abcdef0'] };
    const ssm = new SSM(as(worker));
    const document = 'arn:aws:ssm:eu-central-1:111122223333:document/receiver';
    allow([{ Effect: 'Allow', Action: 'ssm:SendCommand', Resource: document }]);
    await expect(ssm.sendCommand(command)).rejects.toThrow(
      /on resource: arn:aws:ec2:.*:instance\/i-0123456789abcdef0 /,
    );
    allow([{ Effect: 'Allow', Action: 'ssm:SendCommand', Resource: [document, 'arn:aws:ec2:*:*:instance/*'] }]);
    await ssm.sendCommand(command);
    await expect(ssm.sendCommand({ ...command, DocumentName: 'AWS-RunShellScript' })).rejects.toThrow(
      'on resource: arn:aws:ssm:eu-central-1::document/AWS-RunShellScript ',
    );
  });

  test('starts a runbook only if it may pass the runbook’s role, to Systems Manager', async () => {
    const start = { Effect: 'Allow', Action: 'ssm:StartAutomationExecution', Resource: 'arn:aws:ssm:*:*:*' };
    const pass = { Effect: 'Allow', Action: 'iam:PassRole', Resource: 'arn:aws:iam::111122223333:role/automation' };
    const to = (service: string) => ({ Condition: { StringEquals: { 'iam:PassedToService': service } } });
    const ssm = new SSM(as(worker));
    allow([start, { ...pass, ...to('ec2.amazonaws.com') }]);
    await expect(ssm.startAutomationExecution({ DocumentName: 'switch' })).rejects.toThrow('perform: iam:PassRole');
    await ssm.startAutomationExecution({ DocumentName: 'without-role' });
    allow([start, { ...pass, ...to('ssm.amazonaws.com') }]);
    await ssm.startAutomationExecution({ DocumentName: 'switch' });
  });

  test('is refused an action that nobody has said the permissions of', async () => {
    allow([{ Effect: 'Allow', Action: '*', Resource: '*' }]);
    await expect(new SSM(as(worker)).startSession({ Target: 'i-1' })).rejects.toThrow('rehearsal/iam/requirements/');
    expect(authorizer.refusals).toMatchObject([{ roleName: ROLE, action: 'ssm:StartSession' }]);
  });

  test('of a role that is gone may nothing', async () => {
    allow([{ Effect: 'Allow', Action: '*', Resource: '*' }]);
    iam.roles.delete(ROLE);
    await expect(new SSM(as(worker)).getParameter({ Name: 'x' })).rejects.toThrow('not authorized');
  });
});

describe('an administrator', () => {
  test('may everything, and takes on a role that trusts the account', async () => {
    const sts = new STS(as('AKIAPERSON'));
    await new SSM(as('AKIAPERSON')).getParameter({ Name: 'x' });
    const { Credentials } = await sts.assumeRole({ RoleArn: ROLE_ARN, RoleSessionName: 'me' });
    const session = new STS(as(Credentials?.AccessKeyId ?? ''));
    expect(await session.getCallerIdentity({})).toMatchObject({
      Arn: 'arn:aws:sts::111122223333:assumed-role/worker/me',
    });
    const NOT_THERE = ROLE_ARN.replace(ROLE, 'nobody');
    await expect(sts.assumeRole({ RoleArn: NOT_THERE, RoleSessionName: 'me' })).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });
});

test('what was used is counted by statement and action, across updates of the policy', async () => {
  const statement = { Sid: 'Read', Effect: 'Allow', Action: ['ssm:GetParameter', 'ssm:PutParameter'], Resource: '*' };
  const ssm = new SSM(as(worker));
  for (let update = 0; update < 2; update += 1) {
    allow([
      statement,
      { Sid: 'Also', Effect: 'Allow', Action: 'ssm:*', Resource: PARAMETER },
      { Sid: 'Never', Effect: 'Allow', Action: 'ssm:*', Resource: `${PARAMETER}-2` },
    ]);
    await ssm.getParameter({ Name: '/proxyflip/web' });
  }
  expect(authorizer.uses).toEqual([
    { ...origin('trust'), sid: '#1', action: 'sts:AssumeRole', uses: 0 },
    { ...origin('own'), sid: 'Read', action: 'ssm:GetParameter', uses: 2 },
    { ...origin('own'), sid: 'Read', action: 'ssm:PutParameter', uses: 0 },
    { ...origin('own'), sid: 'Also', action: 'ssm:*', uses: 2 },
    { ...origin('own'), sid: 'Never', action: 'ssm:*', uses: 0 },
  ]);
});
