import { CloudWatchClient, GetDashboardCommand, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  DescribeLoadBalancersCommand,
  ElasticLoadBalancingClient,
  SetLoadBalancerPoliciesForBackendServerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import { InvokeCommand, LambdaClient, ResourceNotFoundException } from '@aws-sdk/client-lambda';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { GetParameterCommand, ParameterNotFound, SendCommandCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SmithyRpcV2CborProtocol } from '@smithy/core/cbor';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import { DUPLICATE, type Interceptor, RESET } from '../../../rehearsal/aws/faults.ts';
import { type Action, type RawService, type Service, ServiceError } from '../../../rehearsal/aws/service.ts';
import { createStsService } from '../../../rehearsal/aws/sts.ts';

let endpoint: AwsEndpoint;
afterEach(() => endpoint.close());

const PROTOCOLS = {
  elasticloadbalancing: 'awsQuery',
  ec2: 'ec2Query',
  ssm: 'awsJson1_1',
  lambda: 'restJson1',
  monitoring: 'awsQuery',
  sns: 'awsQuery',
} as const;

const service = (signingName: keyof typeof PROTOCOLS, actions: Record<string, Action>): Service => ({
  signingName,
  protocol: PROTOCOLS[signingName],
  actions,
});

const start = async (...services: (Service | RawService)[]) => {
  endpoint = await startAwsEndpoint({ services });
  return endpoint;
};

const client = (accessKeyId = 'AKIAEXAMPLE', maxAttempts = 1) => ({
  endpoint: endpoint.url,
  region: 'eu-central-1',
  credentials: { accessKeyId, secretAccessKey: 'any' },
  maxAttempts,
});

const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: Error & { Code?: string; $metadata?: { httpStatusCode?: number } }) => error,
  );

describe('awsQuery', () => {
  test('lists, numbers, timestamps and markup go there and back', async () => {
    let seen: unknown;
    const output = {
      LoadBalancerDescriptions: [
        {
          LoadBalancerName: 'a<b>&"c\r\nd',
          CreatedTime: new Date('2026-11-21T05:06:07.089Z'),
          ListenerDescriptions: [
            { Listener: { Protocol: 'TCP', LoadBalancerPort: 80, InstancePort: 80 }, PolicyNames: [] },
          ],
          BackendServerDescriptions: [],
          Subnets: ['subnet-1', 'subnet-2'],
        },
      ],
      NextMarker: '',
    };
    await start(
      service('elasticloadbalancing', {
        DescribeLoadBalancers: (input) => {
          seen = input;
          return output;
        },
      }),
    );

    const answer = await new ElasticLoadBalancingClient(client()).send(
      new DescribeLoadBalancersCommand({ LoadBalancerNames: ['one', 'two & three'], PageSize: 7 }),
    );

    expect(seen).toEqual({ LoadBalancerNames: ['one', 'two & three'], PageSize: 7 });
    expect(answer).toMatchObject(output);
  });

  test('an empty list is not an absent one', async () => {
    const seen: unknown[] = [];
    await start(
      service('elasticloadbalancing', {
        SetLoadBalancerPoliciesForBackendServer: (input) => void seen.push(input),
      }),
    );
    const elb = new ElasticLoadBalancingClient(client());
    const input = { LoadBalancerName: 'web', InstancePort: 80 };

    await elb.send(new SetLoadBalancerPoliciesForBackendServerCommand({ ...input, PolicyNames: [] }));
    const absent = await caught(
      elb.send(new SetLoadBalancerPoliciesForBackendServerCommand({ ...input, PolicyNames: undefined })),
    );

    expect(seen).toEqual([{ ...input, PolicyNames: [] }]);
    expect(absent).toMatchObject({ name: 'ValidationError', message: expect.stringContaining('PolicyNames') });
  });

  test.each([
    // The model's status wins over what the action says: its authors read the API's documentation, not ours.
    ['InvalidConfigurationRequest', 'InvalidConfigurationRequestException', 409],
    ['LoadBalancerNotFound', 'AccessPointNotFoundException', 400],
    ['InvalidInstance', 'InvalidEndPointException', 400],
    ['Throttling', 'Throttling', 400],
  ])('the wire code %s becomes the class %s with HTTP status %d', async (code, className, status) => {
    await start(
      service('elasticloadbalancing', {
        DescribeLoadBalancers: () => {
          throw new ServiceError(code, 'why', 400);
        },
      }),
    );

    const error = await caught(new ElasticLoadBalancingClient(client()).send(new DescribeLoadBalancersCommand({})));

    expect(error).toMatchObject({ name: className, message: 'why', Code: code, $metadata: { httpStatusCode: status } });
  });

  test('an action that the rehearsal does not have is InvalidAction, and is recorded as such', async () => {
    await start(service('elasticloadbalancing', {}));

    const error = await caught(new ElasticLoadBalancingClient(client()).send(new DescribeLoadBalancersCommand({})));

    expect(error).toMatchObject({ name: 'InvalidAction', $metadata: { httpStatusCode: 400 } });
    expect(endpoint.dispatcher.calls).toMatchObject([
      {
        service: 'elasticloadbalancing',
        action: 'DescribeLoadBalancers',
        accessKeyId: 'AKIAEXAMPLE',
        errorCode: 'InvalidAction',
      },
    ]);
  });

  test.each([
    ['a member that the API does not have', 'LoadBalancerName=web', 'ValidationError'],
    ['text where a number belongs', 'PageSize=seven', 'MalformedInput'],
    ['a list without its members', 'LoadBalancerNames=web', 'MalformedInput'],
  ])('%s is refused', async (_desc, form, code) => {
    await start(service('elasticloadbalancing', { DescribeLoadBalancers: () => ({}) }));

    const response = await fetch(endpoint.url, {
      method: 'POST',
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=AK/20261121/eu-central-1/elasticloadbalancing/aws4_request',
      },
      body: `Action=DescribeLoadBalancers&Version=2012-06-01&${form}`,
    });

    expect(response.status).toBe(400);
    expect(await response.text()).toContain(`<Code>${code}</Code>`);
  });

  test('an output that the API does not have is the rehearsal’s mistake, not an answer', async () => {
    await start(service('elasticloadbalancing', { DescribeLoadBalancers: () => ({ LoadBalancers: [] }) }));

    const error = await caught(new ElasticLoadBalancingClient(client()).send(new DescribeLoadBalancersCommand({})));

    expect(error).toMatchObject({ name: 'InternalFailure', $metadata: { httpStatusCode: 500 } });
  });
});

test('ec2Query: filters go in, a nested list comes out, errors carry EC2’s codes', async () => {
  const seen: unknown[] = [];
  await start(
    service('ec2', {
      DescribeSubnets: (input) => {
        seen.push(input);
        if (input.NextToken !== undefined) throw new ServiceError('InvalidSubnetID.NotFound', 'no such subnet');
        return { Subnets: [{ SubnetId: 'subnet-1', CidrBlock: '10.0.101.0/24', Tags: [{ Key: 'a', Value: 'b' }] }] };
      },
    }),
  );
  const ec2 = new EC2Client(client());

  const answer = await ec2.send(
    new DescribeSubnetsCommand({ SubnetIds: ['subnet-1'], Filters: [{ Name: 'vpc-id', Values: ['vpc-1', 'vpc-2'] }] }),
  );
  const error = await caught(ec2.send(new DescribeSubnetsCommand({ NextToken: 'x' })));

  expect(answer.Subnets).toMatchObject([
    { SubnetId: 'subnet-1', CidrBlock: '10.0.101.0/24', Tags: [{ Key: 'a', Value: 'b' }] },
  ]);
  expect(seen).toEqual([
    { SubnetIds: ['subnet-1'], Filters: [{ Name: 'vpc-id', Values: ['vpc-1', 'vpc-2'] }] },
    { NextToken: 'x' },
  ]);
  expect(error).toMatchObject({ name: 'InvalidSubnetID.NotFound' });
});

test('awsJson1_1: maps, timestamps and modelled errors', async () => {
  const requestedDateTime = new Date('2026-11-21T05:06:07.000Z');
  await start(
    service('ssm', {
      SendCommand: ({ Parameters }) => ({
        Command: { CommandId: 'c', Parameters, RequestedDateTime: requestedDateTime },
      }),
      GetParameter: () => {
        throw new ServiceError('ParameterNotFound', 'no such parameter');
      },
    }),
  );
  const ssm = new SSMClient(client());

  const answer = await ssm.send(new SendCommandCommand({ DocumentName: 'd', Parameters: { Mode: ['both'] } }));
  const error = await caught(ssm.send(new GetParameterCommand({ Name: '/x' })));

  expect(answer.Command).toMatchObject({ Parameters: { Mode: ['both'] }, RequestedDateTime: requestedDateTime });
  expect(error).toBeInstanceOf(ParameterNotFound);
});

test('restJson1: label, query, headers, payload both ways, and a 404', async () => {
  let seen: unknown;
  await start(
    service('lambda', {
      Invoke: (input) => {
        seen = input;
        if (input.FunctionName === 'gone')
          throw new ServiceError('ResourceNotFoundException', 'Function not found', 404);
        return {
          StatusCode: 200,
          FunctionError: 'Unhandled',
          Payload: Buffer.from('{"a":1}'),
          ExecutedVersion: '$LATEST',
        };
      },
    }),
  );
  const lambda = new LambdaClient(client());

  const answer = await lambda.send(
    new InvokeCommand({
      FunctionName: 'arn:aws:lambda:eu-central-1:111122223333:function:f',
      Qualifier: 'live',
      InvocationType: 'RequestResponse',
      Payload: Buffer.from('{"b":2}'),
    }),
  );

  expect(seen).toMatchObject({
    FunctionName: 'arn:aws:lambda:eu-central-1:111122223333:function:f',
    Qualifier: 'live',
    InvocationType: 'RequestResponse',
  });
  expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled', ExecutedVersion: '$LATEST' });
  expect(Buffer.from(answer.Payload ?? []).toString()).toBe('{"a":1}');
  expect(await caught(lambda.send(new InvokeCommand({ FunctionName: 'gone' })))).toBeInstanceOf(
    ResourceNotFoundException,
  );
});

describe('who calls', () => {
  test('an unsigned request is refused where no raw service takes its path', async () => {
    await start(service('ssm', {}), {
      signingName: 's3',
      takesUnsigned: (path) => path.startsWith('/bucket/'),
      handle: (_request, response, { accessKeyId }) => void response.end(`taken, signed by ${accessKeyId ?? 'nobody'}`),
    });

    const refused = await fetch(`${endpoint.url}/other`, { method: 'PUT', body: 'x' });
    const taken = await fetch(`${endpoint.url}/bucket/key`);
    const presigned = await fetch(
      `${endpoint.url}/b/k?X-Amz-Credential=AK%2F20261121%2Feu-central-1%2Fs3%2Faws4_request`,
    );

    expect(refused.status).toBe(403);
    expect(await taken.text()).toBe('taken, signed by nobody');
    expect(await presigned.text()).toBe('taken, signed by AK');
  });

  test('a request signed for another region is refused', async () => {
    await start(service('ssm', { GetParameter: () => ({}) }));

    const error = await caught(
      new SSMClient({ ...client(), region: 'us-east-1' }).send(new GetParameterCommand({ Name: '/x' })),
    );

    expect(error).toMatchObject({ name: 'SignatureDoesNotMatch', $metadata: { httpStatusCode: 403 } });
  });

  test('GetCallerIdentity names the access key, in whatever region it was signed', async () => {
    await start(createStsService());

    const response = await fetch(endpoint.url, {
      method: 'POST',
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=AKIA1/20261121/us-east-1/sts/aws4_request, SignedHeaders=host',
      },
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
    });

    expect(await response.text()).toContain('<Arn>arn:aws:iam::111122223333:user/AKIA1</Arn>');
  });
});

describe('in process', () => {
  test('the same action, with the service’s own error', async () => {
    await start(
      service('ssm', {
        GetParameter: ({ Name }) => {
          if (Name === '/gone') throw new ServiceError('ParameterNotFound', 'no such parameter');
          return { Parameter: { Name, Value: 'v' } };
        },
      }),
    );
    const call = (input: unknown) => endpoint.dispatcher.call('ssm', 'GetParameter', input);

    expect(await call({ Name: '/x' })).toEqual({ Parameter: { Name: '/x', Value: 'v' } });
    await expect(call({ Name: '/gone' })).rejects.toMatchObject({ code: 'ParameterNotFound' });
    await expect(call({ Nmae: '/x' })).rejects.toMatchObject({ code: 'ValidationException' });
    await expect(call({})).rejects.toMatchObject({ code: 'ValidationException' });
    await expect(endpoint.dispatcher.call('ssm', 'NoSuchAction', {})).rejects.toMatchObject({
      code: 'UnknownOperationException',
    });
  });

  test('what a caller does to an answer does not reach the service’s state', async () => {
    const state = { Name: '/x', Value: 'v' };
    await start(service('ssm', { GetParameter: () => ({ Parameter: state }) }));

    const answer = (await endpoint.dispatcher.call('ssm', 'GetParameter', { Name: '/x' })) as {
      Parameter: { Value: string };
    };
    answer.Parameter.Value = 'changed';

    expect(state.Value).toBe('v');
  });
});

describe('faults', () => {
  const counting = async () => {
    const ran = { times: 0 };
    await start(service('ssm', { GetParameter: () => ({ Parameter: { Value: String(++ran.times) } }) }));
    return ran;
  };
  const get = () => new SSMClient(client()).send(new GetParameterCommand({ Name: '/x' }));

  const cases: readonly { desc: string; interceptor: Interceptor; times: number; symptom: RegExp }[] = [
    {
      desc: 'an error before',
      interceptor: { before: () => new ServiceError('ThrottlingException', 'Rate exceeded') },
      times: 0,
      symptom: /^ThrottlingException: Rate exceeded/,
    },
    { desc: 'a reset before', interceptor: { before: () => RESET }, times: 0, symptom: /ECONNRESET|socket hang up/ },
    { desc: 'a reset after', interceptor: { after: () => RESET }, times: 1, symptom: /ECONNRESET|socket hang up/ },
    {
      desc: 'an error after',
      interceptor: { after: () => new ServiceError('InternalServerError', 'lost', 500) },
      times: 1,
      symptom: /^InternalServerError: lost/,
    },
  ];
  test.each(cases)('$desc: the action runs $times times, and the next call is answered', async (each) => {
    const ran = await counting();
    const remove = endpoint.intercept(each.interceptor);

    const error = await caught(get());
    remove();

    expect(String(error)).toMatch(each.symptom);
    expect(ran.times).toBe(each.times);
    await expect(get()).resolves.toMatchObject({ Parameter: { Value: String(each.times + 1) } });
  });

  test('a duplicate: the action runs twice, one answer', async () => {
    const ran = await counting();
    endpoint.intercept({ before: () => DUPLICATE });

    await expect(get()).resolves.toMatchObject({ Parameter: { Value: '2' } });
    expect(ran.times).toBe(2);
  });

  test("an SDK's repetitions of a call carry its own id, the next call another", async () => {
    await counting();
    const ids: (string | undefined)[] = [];
    endpoint.intercept({
      before: ({ invocationId }) => {
        ids.push(invocationId);
        return ids.length === 1 ? RESET : undefined;
      },
    });
    const ssm = new SSMClient({ ...client(), maxAttempts: 2 });
    await ssm.send(new GetParameterCommand({ Name: '/x' }));
    await ssm.send(new GetParameterCommand({ Name: '/x' }));

    const [first, second, third] = ids;
    expect(ids).toEqual([first, first, third]);
    expect([first, third]).toEqual([expect.any(String), expect.any(String)]);
    expect(third).not.toBe(second);
  });
});

describe.each([
  ['JSON 1.0', {}],
  ['CBOR', { protocol: new SmithyRpcV2CborProtocol({ defaultNamespace: 'com.amazonaws.cloudwatch' }) }],
])('a service that also speaks %s', (_name, spoken) => {
  const speaking = (actions: Record<string, Action>): Service => ({
    ...service('monitoring', actions),
    alsoSpeaks: ['rpcV2Cbor', 'awsJson1_0'],
  });
  const cloudWatch = () => new CloudWatchClient({ ...client(), ...spoken });

  test('timestamps and numbers as they are', async () => {
    const at = new Date('2026-11-21T08:00:00.250Z');
    const seen: unknown[] = [];
    await start(
      speaking({
        GetMetricStatistics: (input) => {
          seen.push(input);
          return { Label: 'Findings', Datapoints: [{ Timestamp: at, Sum: 1.5, Unit: 'Count' }] };
        },
      }),
    );
    const input = { Namespace: 'proxyflip', MetricName: 'Findings', StartTime: at, EndTime: at, Period: 60 };

    const answer = await cloudWatch().send(new GetMetricStatisticsCommand(input));

    expect(seen).toEqual([input]);
    expect(answer).toMatchObject({ Label: 'Findings', Datapoints: [{ Timestamp: at, Sum: 1.5, Unit: 'Count' }] });
  });

  test('an error has the shape’s name in the body and the Query code in a header', async () => {
    await start(
      speaking({
        GetDashboard: () => {
          throw new ServiceError('InvalidParameterValue', 'why');
        },
      }),
    );
    const error = await caught(cloudWatch().send(new GetDashboardCommand({ DashboardName: 'none' })));
    expect(error).toMatchObject({ name: 'InvalidParameterValueException', message: 'why' });
  });
});

test('a map in a Query request', async () => {
  const seen: unknown[] = [];
  await start(
    service('sns', {
      CreateTopic: (input) => {
        seen.push(input);
        return { TopicArn: 'arn' };
      },
    }),
  );
  const input = { Name: 'drift', Attributes: { DisplayName: 'a & b', KmsMasterKeyId: '' } };
  await new SNSClient(client()).send(new CreateTopicCommand(input));
  expect(seen).toEqual([input]);
});
