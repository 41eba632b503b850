import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { formatJoining } from '../../functions/load-balancer/joining.ts';
import { parseProperties } from '../../functions/proxy-protocol/properties.ts';
import { statementsIn } from './statements.ts';
import { readTemplate, type Template } from './template.ts';

describe('cloudformation/proxy-protocol.yaml', () => {
  let template: Template;
  beforeAll(() => {
    template = readTemplate();
  });

  test('every function runs on what it is built for', () => {
    const functions = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
    expect(functions.length).toBeGreaterThan(1);
    for (const { Properties } of functions) {
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Handler: 'index.handler', Architectures: ['arm64'] });
    }
  });

  test('every action that the functions and the runbook use is allowed, and every allowed one is used', () => {
    const statements = statementsIn(template).filter(({ Principal }) => Principal === undefined);
    const allowed = (names: readonly string[]) =>
      new Set(statements.filter(({ of }) => names.includes(of)).flatMap(({ Action }) => Action));
    const used = (folder: string) =>
      new Set(
        [...sourcesFrom(`${folder}/index.ts`)].flatMap((file) => permissionsOfCommands(readFileSync(file, 'utf8'))),
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

  test('the drift check could change nothing if it wanted to', () => {
    const allowed = statementsIn(template)
      .filter(({ of, Principal }) => of === 'DriftCheckFunctionRole' && Principal === undefined)
      .flatMap(({ Action, Resource }) => Action.map((action) => ({ action, resource: JSON.stringify(Resource) })));
    const writes = allowed.filter(({ action }) => !/^(logs:|\w+:(Get|List|Describe))/.test(action));

    expect(allowed.length).toBeGreaterThan(10);
    expect(writes.map(({ action }) => action)).toEqual([
      'ssm:PutParameter',
      'ssm:SendCommand',
      'ssm:SendCommand',
      'events:PutEvents',
    ]);
    // Its own memory, and the one document that reads.
    expect(writes[0]?.resource.match(/parameter\/[^"]+/g)).toEqual([
      'parameter/proxyflip/drift/status/*',
      'parameter/proxyflip/drift/last-run',
    ]);
    expect(writes[1]?.resource).toMatch(/:document\/\$\{InspectDocument\}"\}\]$/);
    expect(writes[2]?.resource).not.toContain('document/');
  });

  test('remediation starts one runbook, and writes at no load balancer and to no instance', () => {
    const allowed = statementsIn(template)
      .filter(({ of, Principal }) => of === 'DriftRemediationFunctionRole' && Principal === undefined)
      .flatMap(({ Action }) => Action);

    expect(allowed.filter((action) => !/^(logs:|\w+:(Get|List|Describe))/.test(action)).sort()).toEqual([
      'events:PutEvents',
      'iam:PassRole',
      'ssm:DeleteParameter',
      'ssm:PutParameter',
      'ssm:StartAutomationExecution',
    ]);
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

const PREFIXES: Readonly<Record<string, string>> = {
  'auto-scaling': 'autoscaling',
  cloudwatch: 'cloudwatch',
  'elastic-load-balancing': 'elasticloadbalancing',
  eventbridge: 'events',
  lambda: 'lambda',
  sns: 'sns',
  ssm: 'ssm',
};

/** `import { GetParameterCommand } from '@aws-sdk/client-ssm'` is `ssm:GetParameter`. */
function permissionsOfCommands(source: string): string[] {
  const imports = [...source.matchAll(/import \{([^}]+)\} from '@aws-sdk\/client-([a-z-]+)'/g)];
  return imports.flatMap(([, names = '', client = '']) =>
    [...names.matchAll(/\b(\w+)Command\b/g)].map(([, operation = '']) => {
      const prefix = PREFIXES[client];
      if (prefix === undefined) throw new Error(`which permissions @aws-sdk/client-${client} has is not known here`);
      return operation === 'Invoke' ? 'lambda:InvokeFunction' : `${prefix}:${operation}`;
    }),
  );
}

/** What a bundle is made of: the file, and whatever it imports of ours. */
function sourcesFrom(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, imported = ''] of readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g)) {
    sourcesFrom(join(dirname(file), imported), seen);
  }
  return seen;
}
