/** The SDK's own clients, the wire, a function in a process of its own, and the answer that it PUTs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  GetTemplateSummaryCommand,
  ListStackResourcesCommand,
  UpdateStackCommand,
  ValidateTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { GetFunctionCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import { type CloudFormationService, createCloudFormationService } from '../../../rehearsal/cloudformation/service.ts';
import { IamStore } from '../../../rehearsal/iam/store.ts';
import { createLambdaService, type LambdaService } from '../../../rehearsal/lambda/service.ts';
import { NODE24 } from '../../../rehearsal/paths.ts';

const HANDLER = `
exports.handler = async (event, context) => {
  if (event.RequestType === undefined) return { hello: event.name, caller: process.env.AWS_ACCESS_KEY_ID };
  const { StackId, RequestId, LogicalResourceId, ResourceProperties } = event;
  const response = { StackId, RequestId, LogicalResourceId, Status: 'SUCCESS', Reason: 'ok',
    PhysicalResourceId: 'thing-' + ResourceProperties.Name, Data: { Ports: ResourceProperties.Ports.join(',') } };
  await fetch(event.ResponseURL, { method: 'PUT', headers: { 'content-type': '' }, body: JSON.stringify(response) });
};`;

const body = (ports: string): string => `
Parameters:
  Name: { Type: String, Default: web }
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }]
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: nodejs24.x
      Handler: index.handler
      Timeout: 30
      Role: !GetAtt Role.Arn
      Code: { ZipFile: ${JSON.stringify(HANDLER)} }
  Permission:
    Type: AWS::Lambda::Permission
    Properties: { FunctionName: !Ref Function, Action: lambda:InvokeFunction, Principal: events.amazonaws.com }
  Retries:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: { FunctionName: !Ref Function, Qualifier: $LATEST, MaximumRetryAttempts: 1 }
  Thing:
    Type: Custom::Thing
    DependsOn: [Permission, Retries]
    Properties: { ServiceToken: !GetAtt Function.Arn, ServiceTimeout: 60, Name: !Ref Name, Ports: ${ports} }
Outputs:
  Function: { Value: !Ref Function }
  Thing: { Value: !Ref Thing }
  Ports: { Value: !GetAtt Thing.Ports }
`;

let directory: string;
let lambda: LambdaService;
let iam: IamStore;
let cloudFormation: CloudFormationService;
let endpoint: AwsEndpoint;
let client: CloudFormationClient;
let lambdaClient: LambdaClient;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'pf-cloudformation-'));
  lambda = createLambdaService({ nodeBinary: NODE24, endpointUrl: () => endpoint.url, directory });
  iam = new IamStore();
  cloudFormation = createCloudFormationService({
    iam,
    dispatcher: () => endpoint.dispatcher,
    getObject: () => Promise.reject(new Error('there is no object')),
  });
  endpoint = await startAwsEndpoint({ services: [lambda, cloudFormation] });
  const settings = {
    endpoint: endpoint.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIAPERSON', secretAccessKey: 'x' },
  };
  client = new CloudFormationClient(settings);
  lambdaClient = new LambdaClient(settings);
});

afterAll(async () => {
  client.destroy();
  lambdaClient.destroy();
  await cloudFormation.close();
  await lambda.close();
  await endpoint.close();
  await rm(directory, { recursive: true, force: true });
});

const outputs = async (): Promise<Record<string, string | undefined>> => {
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: 'fleet' }));
  return Object.fromEntries((Stacks?.[0]?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
};

describe('a stack with a custom resource', () => {
  test('is created', async () => {
    await client.send(
      new CreateStackCommand({ StackName: 'fleet', TemplateBody: body('[80, 443]'), Capabilities: ['CAPABILITY_IAM'] }),
    );
    expect(await cloudFormation.settled('fleet')).toBe('CREATE_COMPLETE');

    expect(await outputs()).toMatchObject({ Thing: 'thing-web', Ports: '80,443' });
    const { StackEvents } = await client.send(new DescribeStackEventsCommand({ StackName: 'fleet' }));
    expect(StackEvents?.[0]).toMatchObject({ ResourceStatus: 'CREATE_COMPLETE', LogicalResourceId: 'fleet' });
    expect(StackEvents?.[0]?.Timestamp).toBeInstanceOf(Date);
    const { StackResources } = await client.send(new DescribeStackResourcesCommand({ StackName: 'fleet' }));
    expect(StackResources).toHaveLength(5);
    const { StackResourceSummaries } = await client.send(new ListStackResourcesCommand({ StackName: 'fleet' }));
    expect(StackResourceSummaries).toHaveLength(5);
  });

  test('has a function that can be invoked, and that is the role of the stack to AWS', async () => {
    const FunctionName = (await outputs()).Function;
    const { Configuration } = await lambdaClient.send(new GetFunctionCommand({ FunctionName }));
    expect(Configuration).toMatchObject({ State: 'Active', Runtime: 'nodejs24.x', Timeout: 30 });

    const { Payload, StatusCode, LogResult } = await lambdaClient.send(
      new InvokeCommand({ FunctionName, Payload: Buffer.from('{"name":"you"}'), LogType: 'Tail' }),
    );

    expect(StatusCode).toBe(200);
    const [role] = iam.roles.keys();
    expect(JSON.parse(Buffer.from(Payload ?? []).toString())).toEqual({
      hello: 'you',
      caller: `ASIA:${role}:${FunctionName}`,
    });
    expect(Buffer.from(LogResult ?? '', 'base64').toString()).toMatch(/^START RequestId: /);
  });

  test('is updated, by a change set too', async () => {
    await client.send(
      new UpdateStackCommand({ StackName: 'fleet', TemplateBody: body('[80]'), Capabilities: ['CAPABILITY_IAM'] }),
    );
    expect(await cloudFormation.settled('fleet')).toBe('UPDATE_COMPLETE');
    expect(await outputs()).toMatchObject({ Thing: 'thing-web', Ports: '80' });

    const names = { StackName: 'fleet', ChangeSetName: 'next' };
    await client.send(
      new CreateChangeSetCommand({ ...names, TemplateBody: body('[81]'), Capabilities: ['CAPABILITY_IAM'] }),
    );
    const { Changes, Status } = await client.send(new DescribeChangeSetCommand(names));
    expect(Status).toBe('CREATE_COMPLETE');
    expect(Changes?.map(({ ResourceChange }) => [ResourceChange?.Action, ResourceChange?.LogicalResourceId])).toEqual([
      ['Modify', 'Thing'],
    ]);
  });

  test('errors are those that the SDK and the CLI know', async () => {
    await expect(client.send(new DescribeStacksCommand({ StackName: 'nobody' }))).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'Stack with id nobody does not exist',
    });
    await expect(
      client.send(new CreateStackCommand({ StackName: 'second', TemplateBody: body('[80]') })),
    ).rejects.toMatchObject({ name: 'InsufficientCapabilitiesException' });
    await expect(
      client.send(
        new CreateStackCommand({ StackName: 'fleet', TemplateBody: body('[80]'), Capabilities: ['CAPABILITY_IAM'] }),
      ),
    ).rejects.toMatchObject({ name: 'AlreadyExistsException' });
  });

  test('its template is summed up and validated', async () => {
    const TemplateBody = body('[80]');
    expect(await client.send(new GetTemplateSummaryCommand({ TemplateBody }))).toMatchObject({
      Capabilities: ['CAPABILITY_IAM'],
      Parameters: [{ ParameterKey: 'Name', DefaultValue: 'web' }],
    });
    expect(await client.send(new ValidateTemplateCommand({ TemplateBody }))).toMatchObject({
      Parameters: [{ ParameterKey: 'Name', DefaultValue: 'web' }],
    });
  });

  test('is deleted, and no invocation of its function failed', async () => {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: 'fleet' }));
    await client.send(new DeleteStackCommand({ StackName: 'fleet' }));
    expect(await cloudFormation.settled(Stacks?.[0]?.StackId ?? '')).toBe('DELETE_COMPLETE');

    expect(iam.roles.size).toBe(0);
    // The answer comes before the end of the invocation that sent it.
    await lambda.settled();
    expect(lambda.invocations.every(({ failed }) => failed === false)).toBe(true);
  });
});
