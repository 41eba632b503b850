import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../../rehearsal/aws/service.ts';
import { IamStore } from '../../../rehearsal/iam/store.ts';
import { readZip } from '../../../rehearsal/lambda/zip.ts';
import { type Answer, STACK, type StackHarness, startStacks } from './stack-harness.ts';

let stacks: StackHarness;
let iam: IamStore;
beforeEach(() => {
  iam = new IamStore();
  stacks = startStacks({ iam });
});
afterEach(() => stacks.close());

const resources = (declarations: Record<string, { Type: string; Properties?: unknown }>) => ({
  Resources: declarations,
});
const all = { Capabilities: ['CAPABILITY_NAMED_IAM'] };
const names = () => stacks.calls.map(({ name }) => name);
const failure = () => stacks.history({ reasons: true }).find((line) => / \w+_FAILED /.test(line));
const allow = (Action: string) => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });
const trust = (Service: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }],
});
const actionsOf = (roleName: string) => iam.statementsOf(roleName).flatMap(({ actions }) => actions);
const role = (more: Record<string, unknown> = {}) => ({
  Type: 'AWS::IAM::Role',
  Properties: { AssumeRolePolicyDocument: trust('lambda.amazonaws.com'), ...more },
});

describe('capabilities', () => {
  test.each([
    { what: 'a role', declaration: role(), given: [], needs: 'CAPABILITY_IAM' },
    {
      what: 'a role with a name',
      declaration: role({ RoleName: 'r' }),
      given: ['CAPABILITY_IAM'],
      needs: 'CAPABILITY_NAMED_IAM',
    },
    {
      what: 'a policy',
      declaration: { Type: 'AWS::IAM::Policy', Properties: { PolicyName: 'p', PolicyDocument: allow('ssm:*') } },
      given: [],
      needs: 'CAPABILITY_IAM',
    },
  ])('$what with $given needs $needs', async ({ declaration, given, needs }) => {
    const body = resources({ A: declaration });
    await expect(stacks.create(body, { Capabilities: given })).rejects.toMatchObject({
      code: 'InsufficientCapabilitiesException',
      message: `Requires capabilities : [${needs}]`,
    });
    expect(await stacks.create(body, { Capabilities: [needs] })).toBe('CREATE_COMPLETE');
  });
});

describe('IAM', () => {
  test('roles are kept with every document that holds for them', async () => {
    await stacks.create(
      resources({
        Role: role({
          RoleName: 'worker',
          Policies: [{ PolicyName: 'own', PolicyDocument: allow('elasticloadbalancing:*') }],
          ManagedPolicyArns: [{ Ref: 'Managed' }],
        }),
        Managed: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: allow('ssm:*') } },
        More: {
          Type: 'AWS::IAM::Policy',
          Properties: { PolicyName: 'more', Roles: [{ Ref: 'Role' }], PolicyDocument: allow('lambda:*') },
        },
      }),
      all,
    );

    expect(iam.roles.get('worker')?.arn).toBe('arn:aws:iam::111122223333:role/worker');
    expect(actionsOf('worker').sort()).toEqual(['elasticloadbalancing:*', 'lambda:*', 'ssm:*']);
    expect(iam.roles.get('worker')?.trust).toMatchObject([{ principals: ['lambda.amazonaws.com'] }]);

    expect(await stacks.delete()).toBe('DELETE_COMPLETE');
    expect(iam.roles.size).toBe(0);
  });

  test('an update replaces the documents of the role and leaves those of others', async () => {
    const body = (action: string) =>
      resources({
        Role: role({ RoleName: 'worker', Policies: [{ PolicyName: 'own', PolicyDocument: allow(action) }] }),
        More: {
          Type: 'AWS::IAM::Policy',
          Properties: { PolicyName: 'more', Roles: [{ Ref: 'Role' }], PolicyDocument: allow('lambda:*') },
        },
      });
    await stacks.create(body('ssm:GetParameter'), all);
    await stacks.update(body('ssm:PutParameter'), all);

    expect(actionsOf('worker').sort()).toEqual(['lambda:*', 'ssm:PutParameter']);
  });

  test.each([
    ['an effect that is none', { Effect: 'Alow' }, 'Effect must be Allow or Deny, not Alow'],
    ['an action without its service', { Action: 'GetParameter' }, 'must have a vendor: GetParameter'],
    ['an element that is not evaluated', { NotAction: 'ssm:*' }, 'NotAction is not evaluated by the rehearsal'],
    [
      'a condition operator that is not evaluated',
      { Condition: { DateLessThan: { 'aws:CurrentTime': 'x' } } },
      'the condition operator DateLessThan is not evaluated by the rehearsal',
    ],
    [
      'a condition key that is not evaluated',
      { Condition: { StringEquals: { 'aws:SourceVpc': 'x' } } },
      'the condition key aws:SourceVpc is not evaluated by the rehearsal',
    ],
    ['a policy variable', { Resource: `arn:aws:s3:::b/\${aws:username}` }, 'policy variables are not evaluated'],
    ['a principal', { Principal: '*' }, 'Policy document should not specify a principal.'],
  ])('a policy with %s is refused when it is made', async (_what, wrong, why) => {
    const document = allow('ssm:GetParameter');
    const PolicyDocument = { ...document, Statement: [{ ...document.Statement[0], ...wrong }] };
    await stacks.create(resources({ P: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument } } }), all);
    expect(failure()).toContain(why);
  });

  test('a policy of AWS whose document nobody has is refused by name', async () => {
    await stacks.create(
      resources({ Role: role({ ManagedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] }) }),
      all,
    );
    expect(failure()).toContain('ReadOnlyAccess is not in the rehearsal');
  });

  test('a role that something is still attached to is not deleted', async () => {
    await stacks.create(resources({ Role: role({ RoleName: 'worker' }) }), all);
    iam.roles.get('worker')?.managedPolicyArns.add('arn:aws:iam::111122223333:policy/of-somebody-else');
    expect(await stacks.delete()).toBe('DELETE_FAILED');
    expect(failure()).toContain('must detach all policies first');
  });
});

describe('AWS::Lambda::Function', () => {
  const lambda = (more: Record<string, unknown> = {}) => ({
    Role: role({ RoleName: 'worker' }),
    Function: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: 'f',
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Role: { 'Fn::GetAtt': 'Role.Arn' },
        Code: { ZipFile: 'exports.handler = async () => 1;' },
        ...more,
      },
    },
  });

  test('goes through the API, with numbers where a parameter gave text, and the source as index.js', async () => {
    await stacks.create(
      resources(lambda({ Timeout: '900', Environment: { Variables: { PORT: 80 } }, RecursiveLoop: 'Allow' })),
      {
        ...all,
        Tags: [{ Key: 'fleet', Value: 'web' }],
      },
    );

    const [create, loop] = stacks.calls;
    expect(create).toMatchObject({
      name: 'lambda:CreateFunction',
      input: {
        FunctionName: 'f',
        Role: 'arn:aws:iam::111122223333:role/worker',
        Timeout: 900,
        Environment: { Variables: { PORT: '80' } },
        Tags: { fleet: 'web' },
      },
    });
    expect(readZip(create?.input.Code.ZipFile).map(({ name, data }) => [name, String(data)])).toEqual([
      ['index.js', 'exports.handler = async () => 1;'],
    ]);
    expect(loop).toMatchObject({ name: 'lambda:PutFunctionRecursionConfig', input: { RecursiveLoop: 'Allow' } });
  });

  test.each([
    { what: 'the code', more: { Code: { ZipFile: 'other' } }, calls: ['lambda:UpdateFunctionCode'] },
    { what: 'a setting', more: { MemorySize: 256 }, calls: ['lambda:UpdateFunctionConfiguration'] },
    { what: 'the name', more: { FunctionName: 'g' }, calls: ['lambda:CreateFunction', 'lambda:DeleteFunction'] },
  ])('a change of $what is $calls', async ({ more, calls }) => {
    await stacks.create(resources(lambda()), all);
    stacks.calls.length = 0;

    expect(await stacks.update(resources(lambda(more)), all)).toBe('UPDATE_COMPLETE');

    expect(names()).toEqual(calls);
  });

  test('that is gone already can be deleted', async () => {
    await stacks.create(resources(lambda()), all);
    stacks.answers.set('lambda:DeleteFunction', () => {
      throw new ServiceError('ResourceNotFoundException', 'Function not found', 404);
    });
    expect(await stacks.delete()).toBe('DELETE_COMPLETE');
  });
});

describe('AWS::SSM::Document', () => {
  const documentOf = (description: string, more: Record<string, unknown> = {}) =>
    resources({
      Doc: {
        Type: 'AWS::SSM::Document',
        Properties: { Content: { schemaVersion: '2.2', description }, DocumentType: 'Command', ...more },
      },
    });

  test('with UpdateMethod NewVersion becomes a new version, and that one the default', async () => {
    stacks.answers.set('ssm:UpdateDocument', () => ({ DocumentDescription: { DocumentVersion: '2' } }));
    const fixed = { Name: 'receiver', UpdateMethod: 'NewVersion' };
    await stacks.create(documentOf('one', fixed));
    await stacks.update(documentOf('two', fixed));
    await stacks.delete();

    expect(stacks.calls).toEqual([
      {
        name: 'ssm:CreateDocument',
        input: expect.objectContaining({
          Name: 'receiver',
          Content: '{"schemaVersion":"2.2","description":"one"}',
          DocumentFormat: 'JSON',
        }),
      },
      { name: 'ssm:UpdateDocument', input: expect.objectContaining({ Name: 'receiver', DocumentVersion: '$LATEST' }) },
      { name: 'ssm:UpdateDocumentDefaultVersion', input: { Name: 'receiver', DocumentVersion: '2' } },
      { name: 'ssm:DeleteDocument', input: { Name: 'receiver' } },
    ]);
  });

  test('with the default UpdateMethod is replaced: a fixed name is taken then, and the update fails', async () => {
    await stacks.create(documentOf('one', { Name: 'receiver' }));
    stacks.answers.set('ssm:CreateDocument', () => {
      throw new ServiceError('DocumentAlreadyExists', 'Document with same name receiver already exists', 400);
    });

    expect(await stacks.update(documentOf('two', { Name: 'receiver' }))).toBe('UPDATE_ROLLBACK_COMPLETE');

    expect(failure()).toMatch(
      /^Doc UPDATE_FAILED Resource handler returned message: "Document with same name receiver already exists \(Service: Ssm, Status Code: 400, Request ID: .*HandlerErrorCode: AlreadyExists\)$/,
    );
    expect(names()).not.toContain('ssm:DeleteDocument');
  });

  test('without a name has one made of stack and logical id', async () => {
    await stacks.create(documentOf('one'));
    expect(stacks.calls[0]?.input.Name).toMatch(/^web-Doc-[A-Z2-7]{12}$/);
  });
});

test.each([
  {
    what: 'a property that the type does not have',
    properties: { Bogus: 1, DashboardBody: '' },
    reason: '#: extraneous key [Bogus] is not permitted',
  },
  { what: 'a property that is missing', properties: {}, reason: '#: required key [DashboardBody] not found' },
])('$what fails the resource', async ({ properties, reason }) => {
  await stacks.create(resources({ A: { Type: 'AWS::CloudWatch::Dashboard', Properties: properties } }));
  expect(failure()).toBe(`A CREATE_FAILED Properties validation failed for resource A with message:\n${reason}`);
});

test('a template is summed up without being deployed', async () => {
  const TemplateBody = JSON.stringify({
    Description: 'd',
    Parameters: { P: { Type: 'Number', Default: 3, Description: 'p' } },
    ...resources({ A: role() }),
  });
  const summary: Answer = await stacks.call('GetTemplateSummary', { TemplateBody });
  expect(summary).toMatchObject({
    Description: 'd',
    Capabilities: ['CAPABILITY_IAM'],
    ResourceTypes: ['AWS::IAM::Role'],
    Parameters: [{ ParameterKey: 'P', DefaultValue: '3', ParameterType: 'Number' }],
  });
  await expect(stacks.call('DescribeStacks', { StackName: STACK })).rejects.toThrow('does not exist');
});
