import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FUNCTION_ARN, type StackHarness, startStacks, template } from './stack-harness.ts';

let stacks: StackHarness;
beforeEach(() => {
  stacks = startStacks();
});
afterEach(() => stacks.close());

/** What the value becomes as a property of a custom resource. */
async function evaluate(yaml: string, sections = ''): Promise<unknown> {
  const status = await stacks.create(`
${sections}
Resources:
  Thing:
    Type: Custom::Thing
    Properties:
      ServiceToken: ${FUNCTION_ARN}
      Value: ${yaml}
`);
  expect(status).toBe('CREATE_COMPLETE');
  return stacks.events[0]?.ResourceProperties.Value;
}

describe('YAML', () => {
  test.each([
    { what: 'a date stays text', yaml: '2012-10-17', value: '2012-10-17' },
    { what: 'a version stays text', yaml: '1.10', value: '1.10' },
    { what: 'an octal number stays as it was written', yaml: '0755', value: '0755' },
    { what: 'yes is a boolean, as in YAML 1.1', yaml: 'yes', value: 'true' },
    { what: 'a quoted yes is text', yaml: "'yes'", value: 'yes' },
    { what: 'an account id keeps its zeros', yaml: '012345678901', value: '012345678901' },
    { what: 'a multi-line text keeps its lines', yaml: '|\n        a\n        b', value: 'a\nb\n' },
  ])('$what', async ({ yaml, value }) => {
    expect(await evaluate(yaml)).toEqual(value);
  });

  test.each([
    { what: 'an alias', yaml: 'a: &x 1\nb: *x', error: 'aliases are not supported' },
    { what: 'a tag that CloudFormation does not have', yaml: 'a: !Frobnicate x', error: 'unsupported tag !Frobnicate' },
    { what: 'a key that comes twice', yaml: 'a: 1\na: 2', error: 'YAML not well-formed' },
    { what: 'no object', yaml: '- a', error: 'unsupported structure' },
  ])('refuses $what', async ({ yaml, error }) => {
    await expect(stacks.create(yaml)).rejects.toThrow(error);
  });
});

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: they are variables of Fn::Sub
describe('intrinsic functions', () => {
  const sections = `
Parameters:
  Name: { Type: String, Default: web }
  Ports: { Type: CommaDelimitedList, Default: '80, 443' }
Mappings:
  Sizes: { small: { Memory: 128 }, large: { Memory: 256 } }
Conditions:
  IsWeb: !Equals [!Ref Name, web]
  IsNot: !Not [!Condition IsWeb]
  Both: !And [!Condition IsWeb, !Not [!Condition IsNot]]
  Either: !Or [!Condition IsNot, !Condition IsWeb]
`;
  test.each([
    { yaml: '!Ref Name', value: 'web' },
    { yaml: '!Ref Ports', value: ['80', '443'] },
    { yaml: '!Ref AWS::Region', value: 'eu-central-1' },
    { yaml: '!Ref AWS::StackName', value: 'web' },
    { yaml: '!Sub arn:${AWS::Partition}:x:${AWS::AccountId}:${Name}', value: 'arn:aws:x:111122223333:web' },
    { yaml: "!Sub ['${A}-${Name}-${!Literal}', { A: !Select [1, !Ref Ports] }]", value: '443-web-${Literal}' },
    { yaml: "!Join ['-', [a, !Ref Name]]", value: 'a-web' },
    { yaml: "!Join [',', !Ref Ports]", value: '80,443' },
    { yaml: "!Select [0, !Split ['.', a.b]]", value: 'a' },
    { yaml: '!FindInMap [Sizes, large, Memory]', value: '256' },
    { yaml: '!Base64 hello', value: 'aGVsbG8=' },
    { yaml: '!If [Both, yes-it-is, no-it-is-not]', value: 'yes-it-is' },
    { yaml: '!If [IsNot, a, !If [Either, b, c]]', value: 'b' },
    { yaml: "{ 'Fn::If': [IsNot, a, { Deep: !Ref Name }] }", value: { Deep: 'web' } },
    { yaml: '{ a: !If [IsNot, 1, !Ref AWS::NoValue], b: 2 }', value: { b: '2' } },
  ])('$yaml', async ({ yaml, value }) => {
    expect(await evaluate(yaml, sections)).toEqual(value);
  });

  test.each([
    { yaml: '!ImportValue x', error: 'function Fn::ImportValue in resource Thing is not supported' },
    { yaml: '!Cidr [10.0.0.0/16, 2, 8]', error: 'Fn::Cidr' },
    { yaml: "{ 'Fn::Length': [1] }", error: 'Fn::Length' },
    { yaml: "'{{resolve:ssm:x}}'", error: 'dynamic reference' },
    { yaml: '!Ref Nobody', error: 'Unresolved resource dependencies [Nobody] in the Resources block' },
    { yaml: '!GetAtt Nobody.Arn', error: 'Unresolved resource dependencies [Nobody]' },
    { yaml: '!Sub x-${Nobody.Arn}', error: 'Unresolved resource dependencies [Nobody]' },
    { yaml: '!If [Nobody, a, b]', error: 'unresolved condition dependency' },
    { yaml: '{ Ref: Name, Other: x }', error: 'it must be alone' },
  ])('$yaml is refused before anything is made', async ({ yaml, error }) => {
    await expect(evaluate(yaml, sections)).rejects.toThrow(error);
    expect(stacks.history({ stack: true })).toEqual([]);
  });

  test.each([
    { yaml: '!Select [7, !Ref Ports]', error: 'cannot select nonexistent value at index 7' },
    { yaml: '!FindInMap [Sizes, huge, Memory]', error: 'Unable to get mapping for Sizes::huge::Memory' },
    { yaml: '!Sub "${Ports}"', error: 'must be a string' },
  ])('$yaml fails the resource', async ({ yaml, error }) => {
    await stacks.create(`${sections}
Resources:
  Thing: { Type: 'Custom::Thing', Properties: { ServiceToken: '${FUNCTION_ARN}', Value: ${yaml} } }`);
    expect(stacks.history({ reasons: true }).join()).toContain(error);
    expect(stacks.events).toEqual([]);
  });
});

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: they are variables of Fn::Sub

describe('a condition that does not hold', () => {
  const body = (output: string) => `
Parameters: { On: { Type: String, Default: 'no' } }
Conditions: { IsOn: !Equals [!Ref On, 'yes'] }
Resources:
  Always: { Type: 'Custom::Thing', DependsOn: Maybe, Properties: { ServiceToken: '${FUNCTION_ARN}' } }
  Maybe: { Type: 'Custom::Thing', Condition: IsOn, Properties: { ServiceToken: '${FUNCTION_ARN}' } }
Outputs:
  Maybe: ${output}
`;

  test('leaves the resource and the output out', async () => {
    expect(await stacks.create(body('{ Condition: IsOn, Value: !Ref Maybe }'))).toBe('CREATE_COMPLETE');
    expect(stacks.events.map((event) => event.LogicalResourceId)).toEqual(['Always']);
    expect(await stacks.outputs()).toEqual({});
  });

  test('makes a reference to it an error', async () => {
    await expect(stacks.create(body('{ Value: !Ref Maybe }'))).rejects.toThrow(
      'Unresolved resource dependencies [Maybe] in the Outputs block of the template',
    );
  });
});

describe('a template is refused', () => {
  test.each([
    {
      what: 'with a resource type that is not here, by name',
      body: template({ A: { Type: 'AWS::EC2::Instance' } }),
      error: 'Unrecognized resource types: [AWS::EC2::Instance]',
    },
    { what: 'without resources', body: { Resources: {} }, error: 'At least one Resources member must be defined.' },
    { what: 'with a section that does not exist', body: { ...template({ A: {} }), Bogus: {} }, error: 'Bogus' },
    {
      what: 'with a macro',
      body: { ...template({ A: {} }), Transform: 'AWS::Serverless-2016-10-31' },
      error: 'section Transform is not supported',
    },
    {
      what: 'with a policy that is not here',
      body: template({ A: { DeletionPolicy: 'Snapshot' } }),
      error: 'DeletionPolicy "Snapshot"',
    },
    {
      what: 'with a circle',
      body: template({ A: { Of: { Ref: 'B' } }, B: { Of: { Ref: 'A' } } }),
      error: 'Circular dependency between resources: [A, B]',
    },
    {
      what: 'with a DependsOn of nobody',
      body: template({ A: { DependsOn: 'Nobody' } }),
      error: 'Unresolved resource dependencies [Nobody]',
    },
    { what: 'with a logical id that is not alphanumeric', body: template({ 'A-B': {} }), error: 'non alphanumeric' },
    {
      what: 'of more than 51,200 bytes in the request',
      body: template({ A: { Text: 'x'.repeat(51_200) } }),
      error: 'less than or equal to 51200',
    },
  ])('$what', async ({ body, error }) => {
    await expect(stacks.create(body)).rejects.toMatchObject({
      code: 'ValidationError',
      message: expect.stringContaining(error),
    });
    expect(stacks.calls).toEqual([]);
  });

  test('is taken from S3 up to 1 MB', async () => {
    stacks.objects.set('templates/big.json', JSON.stringify(template({ A: { Text: 'x'.repeat(60_000) } })));
    await stacks.call('CreateStack', {
      StackName: 'big',
      TemplateURL: 'https://templates.s3.eu-central-1.amazonaws.com/big.json',
    });
    expect(await stacks.service.settled('big')).toBe('CREATE_COMPLETE');
  });
});

describe('parameters', () => {
  const create = (declaration: Record<string, unknown>, value?: string) =>
    stacks.create(
      { Parameters: { P: declaration }, ...template({ A: { Value: { Ref: 'P' } } }) },
      value === undefined ? {} : { Parameters: [{ ParameterKey: 'P', ParameterValue: value }] },
    );

  test.each([
    { declaration: { Type: 'String' }, error: 'Parameters: [P] must have values' },
    {
      declaration: { Type: 'String', AllowedValues: ['a'] },
      value: 'b',
      error: "Parameter 'P' must be one of AllowedValues",
    },
    { declaration: { Type: 'String', AllowedPattern: '[a-z]+' }, value: 'aB', error: 'must match pattern [a-z]+' },
    {
      declaration: { Type: 'String', AllowedPattern: '[a-z]+', ConstraintDescription: 'small letters' },
      value: 'A',
      error: 'small letters',
    },
    { declaration: { Type: 'String', MinLength: 2 }, value: 'a', error: 'length at least 2' },
    { declaration: { Type: 'String', MaxLength: 2 }, value: 'abc', error: 'length at most 2' },
    { declaration: { Type: 'Number' }, value: 'x', error: "Parameter 'P' must be a number." },
    { declaration: { Type: 'Number', MinValue: 1 }, value: '0', error: 'at least 1' },
    { declaration: { Type: 'Number', MaxValue: 3600 }, value: '3601', error: 'at most 3600' },
    { declaration: { Type: 'Nonsense' }, value: 'x', error: 'Unrecognized parameter type: Nonsense' },
  ])('$declaration refuses $value', async ({ declaration, value, error }) => {
    await expect(create(declaration, value)).rejects.toMatchObject({
      code: 'ValidationError',
      message: expect.stringContaining(error),
    });
  });

  test('that the template does not have are refused', async () => {
    await expect(
      stacks.create(template({ A: {} }), { Parameters: [{ ParameterKey: 'Q', ParameterValue: 'x' }] }),
    ).rejects.toThrow('Parameters: [Q] do not exist in the template');
  });

  test('with NoEcho reach the resource and are never shown', async () => {
    await create({ Type: 'String', NoEcho: true }, 'secret');
    const { Stacks } = await stacks.call('DescribeStacks', {});
    expect(stacks.events[0]?.ResourceProperties.Value).toBe('secret');
    expect(Stacks[0].Parameters).toEqual([{ ParameterKey: 'P', ParameterValue: '****' }]);
  });

  test('of an SSM type are what the parameter store has', async () => {
    stacks.answers.set('ssm:GetParameter', ({ Name }) => ({ Parameter: { Value: `value of ${Name}` } }));
    await create({ Type: 'AWS::SSM::Parameter::Value<String>' }, '/a');
    expect(stacks.events[0]?.ResourceProperties.Value).toBe('value of /a');
  });
});

describe('rules', () => {
  const body = {
    Parameters: { On: { Type: 'String', Default: 'Yes' }, Name: { Type: 'String', Default: '' } },
    Rules: {
      NeedsName: {
        RuleCondition: { 'Fn::Equals': [{ Ref: 'On' }, 'Yes'] },
        Assertions: [
          {
            Assert: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'Name' }, ''] }] },
            AssertDescription: 'Name must be given.',
          },
        ],
      },
    },
    ...template({ A: {} }),
  };

  test.each([
    { parameters: {}, refused: true },
    { parameters: { On: 'No' }, refused: false },
    { parameters: { Name: 'web' }, refused: false },
  ])('with $parameters: refused $refused', async ({ parameters, refused }) => {
    const Parameters = Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({
      ParameterKey,
      ParameterValue,
    }));
    const created = stacks.create(body, { Parameters });
    if (refused) await expect(created).rejects.toThrow('Name must be given.');
    else expect(await created).toBe('CREATE_COMPLETE');
  });
});

describe('AWS::Include', () => {
  const include = (location: unknown) => ({
    'Fn::Transform': { Name: 'AWS::Include', Parameters: { Location: location } },
  });
  const AUTO_EXPAND = { Capabilities: ['CAPABILITY_AUTO_EXPAND'] };

  test('puts the snippet beside what is there, and its functions are resolved', async () => {
    stacks.objects.set('artifacts/part.yml', 'Name: !!str x\nRegion: { Ref: AWS::Region }\n');
    const body: Record<string, unknown> = {
      Parameters: { Bucket: { Type: 'String', Default: 'artifacts' } },
      ...template({ A: { Own: 'own', ...include({ 'Fn::Sub': `s3://\${Bucket}/part.yml` }) } }),
    };

    expect(await stacks.create(body, AUTO_EXPAND)).toBe('CREATE_COMPLETE');

    expect(stacks.events[0]?.ResourceProperties).toMatchObject({ Own: 'own', Name: 'x', Region: 'eu-central-1' });
  });

  test.each([
    {
      what: 'short tags',
      location: 's3://artifacts/short.yml',
      error: 'short form !Ref is not supported in an included snippet',
    },
    { what: 'what is not in S3', location: 's3://artifacts/none.yml', error: 'The specified key does not exist.' },
    { what: 'a path that was not packaged', location: '../a.yml', error: 'must be a valid Amazon S3 URI' },
  ])('refuses $what', async ({ location, error }) => {
    stacks.objects.set('artifacts/short.yml', 'Name: !Ref AWS::Region\n');
    await expect(stacks.create(template({ A: include(location) }), AUTO_EXPAND)).rejects.toThrow(error);
  });

  test('has to be acknowledged, unless a change set shows it first', async () => {
    stacks.objects.set('artifacts/part.yml', 'Name: x\n');
    const body = template({ A: include('s3://artifacts/part.yml') });
    await expect(stacks.create(body)).rejects.toMatchObject({
      code: 'InsufficientCapabilitiesException',
      message: 'Requires capabilities : [CAPABILITY_AUTO_EXPAND]',
    });
    const changeSet = {
      StackName: 'web',
      ChangeSetName: 'c',
      ChangeSetType: 'CREATE',
      TemplateBody: JSON.stringify(body),
    };
    await expect(stacks.call('CreateChangeSet', changeSet)).resolves.toHaveProperty('Id');
  });
});
