/** What needs a function, and so a role: both are a CloudFormation stack's, which takes them away again. */
import { readFileSync } from 'node:fs';
import { CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask, tellAtTheEnd } from './ask.ts';
import { type Ended, pathOf, run, type Step } from './runbooks.ts';
import { sweep } from './sweep.mjs';
import { nameOf, openTarget, RUN_ID, TAG, type Target } from './target.ts';
import { until } from './until.ts';

const FUNCTION = nameOf('fn');
/** More than Lambda lets pass by default, reports say 16; the product needs five. */
const LINKS = 20;
const PARAMETER = `/${TAG.Key}/${RUN_ID}/links`;

let target: Target;

/** The log group is the stack's, so that it goes with it. The name is given, so that the role can name the function. */
const TEMPLATE = {
  Resources: {
    Logs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: `/aws/lambda/${FUNCTION}`, RetentionInDays: 1 } },
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
        },
        Policies: [
          {
            PolicyName: 'contract',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [
                {
                  Effect: 'Allow',
                  Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
                  Resource: { 'Fn::GetAtt': ['Logs', 'Arn'] },
                },
                {
                  Effect: 'Allow',
                  Action: 'lambda:InvokeFunction',
                  Resource: {
                    'Fn::Sub': `arn:\${AWS::Partition}:lambda:\${AWS::Region}:\${AWS::AccountId}:function:${FUNCTION}`,
                  },
                },
                {
                  Effect: 'Allow',
                  Action: 'ssm:PutParameter',
                  Resource: {
                    'Fn::Sub': `arn:\${AWS::Partition}:ssm:\${AWS::Region}:\${AWS::AccountId}:parameter${PARAMETER}`,
                  },
                },
              ],
            },
          },
        ],
        Tags: [TAG],
      },
    },
    Function: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: FUNCTION,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Timeout: 30,
        Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
        RecursiveLoop: 'Allow',
        Code: { ZipFile: readFileSync(new URL('function.cjs', import.meta.url), 'utf8') },
        Tags: [TAG],
      },
    },
  },
};

beforeAll(async () => {
  target = await openTarget();
  const { cloudFormation } = target.clients;
  const StackName = nameOf('stk');
  await cloudFormation.send(
    new CreateStackCommand({
      StackName,
      TemplateBody: JSON.stringify(TEMPLATE),
      Capabilities: ['CAPABILITY_IAM'],
      OnFailure: 'DELETE',
      Tags: [TAG],
    }),
  );
  await until(`stack ${StackName} is there`, 600, async () => {
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
    const [{ StackStatus = '', StackStatusReason = '' } = {}] = Stacks;
    if (!['CREATE_IN_PROGRESS', 'CREATE_COMPLETE'].includes(StackStatus)) throw new Error(StackStatusReason);
    return StackStatus === 'CREATE_COMPLETE';
  });
}, 20 * 60_000);
afterAll(async () => {
  await target?.close();
}, 60_000);
tellAtTheEnd();

const invoke = (name: string, payload: object, more: object = {}): Step => ({
  name,
  action: 'aws:invokeLambdaFunction',
  inputs: { FunctionName: FUNCTION, InputPayload: payload },
  ...more,
});
const output = (Name: string, Selector: string, Type = 'String') => ({ Name, Selector, Type });

const runbook = (mainSteps: readonly Step[], outputs: readonly string[] = []): Promise<Ended> =>
  run(
    target.clients.ssm,
    nameOf(`of-${mainSteps[0]?.name.toLowerCase()}`),
    {
      schemaVersion: '0.3',
      parameters: { Words: { type: 'StringList' } },
      mainSteps,
      ...(outputs.length > 0 ? { outputs } : {}),
    },
    { Words: ['one', 'two'] },
  );

ask('A10', 'a function’s answer is found under $.Payload, and goes on as it came', async (note) => {
  const outputs = [
    output('word', '$.Payload.word'),
    output('words', '$.Payload.words', 'StringList'),
    output('none', '$.Payload.none'),
  ];
  const payload = { op: 'echo', word: 'first', words: '{{ Words }}', none: '' };
  const again = { op: 'echo', word: '{{ Echo.word }}', words: '{{ Echo.words }}', none: '{{ Echo.none }}' };
  const ended = await runbook(
    [invoke('Echo', payload, { outputs }), invoke('Again', again, { outputs })],
    ['Again.word', 'Again.words', 'Again.none'],
  );

  note(`an empty text is ${JSON.stringify(ended.outputs['Again.none'])}`);
  expect([pathOf(ended), ended.status]).toEqual([['Echo Success', 'Again Success'], 'Success']);
  expect([ended.outputs['Again.word'], ended.outputs['Again.words']]).toEqual([['first'], ['one', 'two']]);
});

ask('A10', 'of an answer that is flat alone, one of $.Payload.x and $.x finds a value', async (note) => {
  const ended = await runbook(
    [
      invoke(
        'Bare',
        { op: 'bare', word: 'first' },
        { outputs: [output('under', '$.Payload.word'), output('flat', '$.word')] },
      ),
    ],
    ['Bare.under', 'Bare.flat'],
  );
  const found = { '$.Payload.word': ended.outputs['Bare.under'], '$.word': ended.outputs['Bare.flat'] };

  note(JSON.stringify(found));
  expect(Object.values(found).filter((value) => value?.[0] === 'first')).not.toEqual([]);
});

ask('A10', 'a function that throws fails its step, and goes where onFailure says', async (note) => {
  const ended = await runbook([
    invoke('Throw', { op: 'fail' }, { onFailure: 'step:Undo' }),
    invoke('Not', { op: 'bare' }, { isEnd: true }),
    invoke('Undo', { op: 'bare' }, { isEnd: true }),
  ]);

  note(pathOf(ended).join(', '));
  expect([pathOf(ended), ended.status]).toEqual([['Throw Failed', 'Undo Success'], 'Failed']);
});

ask('A13', `with RecursiveLoop Allow, a function may call itself ${LINKS} times`, async (note) => {
  const { lambda, ssm } = target.clients;
  const startMs = Date.now();
  await lambda.send(
    new InvokeCommand({
      FunctionName: FUNCTION,
      InvocationType: 'Event',
      Payload: JSON.stringify({ op: 'chain', left: LINKS, parameter: PARAMETER }),
    }),
  );
  const links = await until('the last of them has written its number', 300, () =>
    ssm.send(new GetParameterCommand({ Name: PARAMETER })).then(
      ({ Parameter }) => Parameter?.Value,
      (error: Error) => {
        if (error.name !== 'ParameterNotFound') throw error;
        return undefined;
      },
    ),
  );

  note(`${links} invocations in ${Math.round((Date.now() - startMs) / 1000)} s`);
  expect(links).toBe(String(LINKS + 1));
});

test('the stack is found and removed', async () => {
  const removed: string[] = [];
  await sweep(target.clients, { levels: ['stack'], say: (line) => removed.push(line) });

  expect(removed).toContain(`removed stack ${nameOf('stk')}`);
  expect(await sweep(target.clients, { levels: ['stack'], say: () => {} })).toBe(0);
}, 600_000);
