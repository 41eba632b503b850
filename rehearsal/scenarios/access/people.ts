/** Who has to do with the product without being part of it, as an administrator makes them: an operator's role, and the instances'. */
import {
  type CloudFormationClient,
  CreateStackCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackUpdateComplete,
} from '@aws-sdk/client-cloudformation';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { Environment } from '../../environment.ts';
import { CREDENTIALS } from '../../environment.ts';
import { ACCOUNT_ID, REGION } from '../../world.ts';

export const OPERATOR_ROLE = 'chat-operator';
export const INSTANCE_ROLE = 'chat-instances';
const STACK_NAME = 'chat-people';
const CAPABILITIES = ['CAPABILITY_NAMED_IAM' as const];
const WAIT = { minDelay: 1, maxDelay: 1, maxWaitTime: 60 };

const trust = (Principal: Record<string, string>) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }],
});

/** The operator can do nothing until there is a stack of the product, whose output says the policy's ARN. */
function template(operatorPolicyArn: string | undefined): string {
  return JSON.stringify({
    Resources: {
      Operator: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: OPERATOR_ROLE,
          AssumeRolePolicyDocument: trust({ AWS: `arn:aws:iam::${ACCOUNT_ID}:root` }),
          ...(operatorPolicyArn !== undefined && { ManagedPolicyArns: [operatorPolicyArn] }),
        },
      },
      Instances: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: INSTANCE_ROLE,
          AssumeRolePolicyDocument: trust({ Service: 'ec2.amazonaws.com' }),
          ManagedPolicyArns: ['arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore'],
        },
      },
      InstanceProfile: {
        Type: 'AWS::IAM::InstanceProfile',
        Properties: { InstanceProfileName: INSTANCE_ROLE, Roles: [{ Ref: 'Instances' }] },
      },
    },
  });
}

export async function makePeople(client: CloudFormationClient): Promise<void> {
  await client.send(
    new CreateStackCommand({ StackName: STACK_NAME, TemplateBody: template(undefined), Capabilities: CAPABILITIES }),
  );
  await waitUntilStackCreateComplete({ client, ...WAIT }, { StackName: STACK_NAME });
}

/** @param policyArn  undefined takes it away, as has to be done before the product's stack can be deleted */
export async function setOperatorPolicy(client: CloudFormationClient, policyArn: string | undefined): Promise<void> {
  await client.send(
    new UpdateStackCommand({ StackName: STACK_NAME, TemplateBody: template(policyArn), Capabilities: CAPABILITIES }),
  );
  await waitUntilStackUpdateComplete({ client, ...WAIT }, { StackName: STACK_NAME });
}

/** For a client of the SDK. */
export interface Session {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
}

export async function assumeOperator({ endpoint }: Environment): Promise<Session> {
  const region = { region: REGION, endpoint: endpoint.url };
  const { Credentials } = await new STSClient({ ...region, credentials: CREDENTIALS }).send(
    new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${ACCOUNT_ID}:role/${OPERATOR_ROLE}`,
      RoleSessionName: 'somebody@example.com',
    }),
  );
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
  return {
    ...region,
    credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
  };
}
