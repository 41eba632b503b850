import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { formatJoining } from '../../functions/load-balancer/joining.ts';
import { parseProperties } from '../../functions/proxy-protocol/properties.ts';
import { readTemplate, type Template } from './template.ts';

describe('cloudformation/proxy-protocol.yaml', () => {
  let template: Template;
  let folder: string;
  beforeAll(() => {
    template = readTemplate();
    folder = mkdtempSync(join(tmpdir(), 'proxyflip-template-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('AWS’s own validator has nothing to say, warnings included', () => {
    const path = join(folder, 'template.json');
    writeFileSync(path, JSON.stringify(template));
    const engine = new RegoEngine();
    try {
      const { diagnostics } = engine.validateStandard(new TemplateFile(path));
      expect(
        diagnostics
          .filter((each) => each.severity !== 'INFO')
          .map((each) => `${each.severity} ${each.ruleId} ${each.message}`),
      ).toEqual([]);
    } finally {
      engine.free();
    }
  });

  test('its own checks, where the validator is blind: times, effects, actions and what is not narrowed', () => {
    const roles = Object.values(template.Resources).filter((each) => each.Type.startsWith('AWS::IAM::'));
    const statements = roles.flatMap(({ Properties }) => statementsOf(Properties));
    expect(statements.length).toBeGreaterThan(10);
    for (const { Effect, Action, Sid } of statements) {
      expect([Sid, Effect]).toEqual([Sid, 'Allow']);
      for (const action of [Action].flat())
        expect([Sid, action]).toEqual([Sid, expect.stringMatching(/^[a-z0-9]+:[A-Z][A-Za-z]+$/)]);
    }
    // Each `*` stands below a comment that says why AWS allows no better.
    const open = statements.filter((each) => [each.Resource].flat().includes('*')).map((each) => each.Sid);
    expect(open.sort()).toEqual(['FindNodes', 'FollowCommands', 'ReadFleet', 'ReadLoadBalancers']);
    for (const { Type, Properties } of Object.values(template.Resources)) {
      if (Type === 'AWS::Lambda::Function') {
        expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Handler: 'index.handler', Architectures: ['arm64'] });
        expect(Properties.Timeout).toBeLessThanOrEqual(900);
      }
    }
    expect(template.Parameters.SwitchTimeoutSeconds).toMatchObject({ MaxValue: 3600 });
  });

  test('every action that the functions and the runbook use is allowed, and every allowed one is used', () => {
    const allowed = (names: readonly string[]) =>
      new Set(
        names
          .flatMap((name) => statementsOf(template.Resources[name]?.Properties ?? {}))
          .flatMap(({ Action }) => [Action].flat()),
      );
    const prefix = (action: string) =>
      /LoadBalancer|DescribeTags/.test(action) ? 'elasticloadbalancing' : action === 'Invoke' ? 'lambda' : 'ssm';
    const used = (folder: string) =>
      new Set(
        [...sourcesOf(folder), ...sourcesOf('functions/shared')]
          .flatMap((source) => [...source.matchAll(/new (\w+)Command\(/g)].map((match) => match[1] ?? ''))
          .map((action) => (action === 'Invoke' ? 'lambda:InvokeFunction' : `${prefix(action)}:${action}`)),
      );
    expect([...allowed(['LoadBalancerFunctionRole'])].filter((each) => !each.startsWith('logs:')).sort()).toEqual(
      [...used('functions/load-balancer')].sort(),
    );
    const notCalls = ['iam:PassRole'];
    expect(
      [...allowed(['ProxyProtocolFunctionRole', 'CallItself'])]
        .filter((each) => !each.startsWith('logs:') && !notCalls.includes(each))
        .sort(),
    ).toEqual([...used('functions/proxy-protocol')].sort());
  });

  test('the custom resource passes every property that the function knows, and the function takes every default', () => {
    const { ProxyProtocol } = template.Resources;
    const properties = ProxyProtocol?.Properties ?? {};
    const defaults = Object.fromEntries(
      Object.entries(properties).map(([name, value]) => {
        // Where it depends on more than one parameter, the one of its own name.
        const parameter = template.Parameters[(value as { Ref?: string }).Ref ?? name];
        return [name, parameter?.Default === undefined ? 'x' : String(parameter.Default)];
      }),
    );
    const parsed = parseProperties({ ...defaults, LoadBalancerName: 'web', FleetTagValue: 'web' });
    expect(Object.keys(properties).sort()).toEqual(Object.keys(parsed).sort());
    expect(
      parseProperties({
        ServiceToken: 'x',
        LoadBalancerName: 'web',
        FleetTagKey: 'proxyflip-fleet',
        FleetTagValue: 'web',
      }),
    ).toEqual(parsed);
  });

  test('whatever the function takes as a property the runbook takes as a parameter', () => {
    const content = template.Resources.SwitchDocument?.Properties.Content as { parameters?: object } | undefined;
    const passed = Object.keys(
      parseProperties({ ServiceToken: 'x', LoadBalancerName: 'web', FleetTagKey: 'k', FleetTagValue: 'v' }),
    );
    for (const name of passed.filter((each) => !['ServiceToken', 'ServiceTimeout', 'DeletionMode'].includes(each))) {
      expect(Object.keys(content?.parameters ?? {})).toContain(name);
    }
  });

  test('the console-only form has the runbook and no switch of its own', () => {
    const withSwitch = Object.entries(template.Resources)
      .filter(([, each]) => each.Condition === 'HasSwitch')
      .map(([name]) => name);
    expect(withSwitch.sort()).toEqual([
      'CallItself',
      'JoinAssociation',
      'JoiningParameter',
      'ProxyProtocol',
      'ProxyProtocolFunction',
      'ProxyProtocolFunctionLogs',
      'ProxyProtocolFunctionRetries',
      'ProxyProtocolFunctionRole',
    ]);
  });

  test('the association is there before the switch, and passes what the Command document takes', () => {
    const { JoinAssociation, JoiningParameter, ProxyProtocol, ReceiverDocument } = template.Resources;
    expect(ProxyProtocol?.DependsOn).toContain('JoinAssociation');
    if (!JoinAssociation || !JoiningParameter || !ReceiverDocument) throw new Error('the template has them');
    const { parameters } = ReceiverDocument.Properties.Content as {
      parameters: Record<string, { allowedPattern?: string; allowedValues?: string[]; interpolationType?: string }>;
    };
    const passed = JoinAssociation.Properties.Parameters as Record<string, readonly string[]> & {
      Joining: readonly [{ 'Fn::Sub': string }];
    };
    expect(Object.keys(parameters)).toEqual(expect.arrayContaining(Object.keys(passed)));
    expect(parameters.Operation?.allowedValues).toEqual(expect.arrayContaining([...(passed.Operation ?? [])]));

    // The agent resolves references in the document's text, and nobody says that it does in environment variables.
    expect(parameters.Joining?.interpolationType).toBeUndefined();
    const allowed = new RegExp(parameters.Joining?.allowedPattern ?? '$^');
    const reference = passed.Joining[0]['Fn::Sub'];
    const name = (JoiningParameter.Properties.Name as { 'Fn::Sub': string })['Fn::Sub'];
    for (const value of [
      reference.replace(/\$\{JoiningParameter\}/, name.replace(/\$\{[\w:]+\}/g, 'web')),
      JoiningParameter.Properties.Value as string,
      formatJoining({ mode: 'both', instancePorts: '80=http 81=https', trustedCidrs: '10.0.1.0/24 10.0.2.0/24' }),
      formatJoining({ mode: 'plain', instancePorts: '80=mixed', trustedCidrs: '' }),
    ])
      expect(value).toMatch(allowed);
    for (const value of ["both; 80=http; '", 'both; 80=http; $(id)', 'both\nid', 'none; 80=http;', ''])
      expect(value).not.toMatch(allowed);
  });

  test('every parameter is in a group, and has a description', () => {
    const grouped = template.Metadata['AWS::CloudFormation::Interface'].ParameterGroups.flatMap(
      (each) => each.Parameters,
    );
    expect([...grouped].sort()).toEqual(Object.keys(template.Parameters).sort());
    for (const parameter of Object.values(template.Parameters)) expect(parameter.Description).toMatch(/\.$/);
  });
});

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

function statementsOf(properties: Record<string, unknown>): Statement[] {
  const { Policies = [], PolicyDocument } = properties as {
    Policies?: { PolicyDocument: { Statement: Statement[] } }[];
    PolicyDocument?: { Statement: Statement[] };
  };
  return [...Policies.flatMap((each) => each.PolicyDocument.Statement), ...(PolicyDocument?.Statement ?? [])];
}

const sourcesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => readFileSync(join(each.parentPath, each.name), 'utf8'));
