import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { operations } from '../../functions/load-balancer/input.ts';
import { describeProblems, readAutomationDocument } from '../../rehearsal/ssm/document-schema/index.ts';

interface Step {
  readonly name: string;
  readonly action: string;
  readonly timeoutSeconds?: number;
  readonly onFailure?: string;
  readonly onCancel?: string;
  readonly nextStep?: string;
  readonly isEnd?: boolean;
  readonly inputs: {
    readonly Steps?: readonly Step[];
    readonly InputPayload?: Record<string, string>;
    readonly Parameters?: Record<string, string>;
    readonly MaxIterations?: number;
    readonly Choices?: readonly { readonly NextStep: string }[];
    readonly Default?: string;
  };
  readonly outputs?: readonly { readonly Name: string; readonly Selector: string }[];
}

interface Document {
  readonly description: string;
  readonly parameters: Record<
    string,
    {
      readonly description: string;
      readonly default?: unknown;
      readonly allowedPattern?: string;
      readonly allowedValues?: readonly string[];
    }
  >;
  readonly mainSteps: readonly Step[];
  readonly outputs: readonly string[];
}

const read = (name: string) =>
  parse(readFileSync(fileURLToPath(new URL(`../../ssm-documents/${name}`, import.meta.url)), 'utf8'), {
    version: '1.1',
  });
const document: Document = read('switch.yml');
const receiver: {
  parameters: Record<string, { readonly allowedPattern?: string; readonly allowedValues?: readonly string[] }>;
} = read('receiver.yml');

const outer = document.mainSteps;
const steps = outer.flatMap((step) => [step, ...(step.inputs.Steps ?? [])]);
const inLoops = new Set(outer.flatMap((step) => (step.inputs.Steps ?? []).map((each) => each.name)));
const undoPath = ['Undo', 'IsThereAnythingToRestore', 'RestoreReceivers', 'Undone'];
/** Nothing is held or changed before Begin, nor is there anything left to undo once all is so or gone. */
const withoutUndo = ['WaitForFleet', 'AwaitFleet', 'FinishUnchanged', 'ForgetLoadBalancer', ...undoPath];

const referencesIn = (value: unknown): string[] =>
  [...JSON.stringify(value).matchAll(/\{\{ *([\w:.]+) *\}\}/g)].map((match) => match[1] ?? '');

/** As CloudFormation resolves it. */
const resolved = JSON.parse(JSON.stringify(document), (_key, value) =>
  value?.Ref !== undefined
    ? value.Ref
    : value?.['Fn::GetAtt'] !== undefined
      ? 'arn:aws:iam::111122223333:role/automation'
      : value,
);

describe('ssm-documents/switch.yml', () => {
  test('is a runbook by its schema: actions, inputs, references, step names', () => {
    expect(describeProblems(readAutomationDocument(resolved).problems)).toBe('');
  });

  test('is within Systems Manager’s 64 KB', () => {
    expect(JSON.stringify(resolved).length).toBeLessThan(64 * 1024);
  });

  test.each(['What it does', 'What it changes', 'What it never does', 'How to undo'])(
    'tells a person in the console: %s',
    (heading) => {
      expect(document.description).toContain(`**${heading}.**`);
    },
  );

  test.each(Object.entries(document.parameters))(
    'parameter %s says whether it is needed, and takes no arbitrary text',
    (_name, parameter) => {
      expect(parameter.description).toMatch(parameter.default === undefined ? /^\(Required\) / : /^\(Optional\) /);
      expect(parameter.allowedPattern ?? parameter.allowedValues).toBeDefined();
      if (parameter.default !== undefined && parameter.allowedPattern !== undefined) {
        expect(parameter.default).toMatch(new RegExp(parameter.allowedPattern));
      }
    },
  );

  test.each(
    steps
      .filter((step) => !['aws:branch', 'aws:loop'].includes(step.action))
      .map((step): [string, Step] => [step.name, step]),
  )('step %s has an end in time; a Lambda step within Automation’s 300 s', (_name, step) => {
    expect(step.timeoutSeconds).toBeGreaterThan(0);
    if (step.action === 'aws:invokeLambdaFunction') expect(step.timeoutSeconds).toBeLessThanOrEqual(300);
  });

  test.each(steps.filter((step) => !withoutUndo.includes(step.name)).map((step): [string, Step] => [step.name, step]))(
    'from step %s a failure or a cancellation comes to the way back',
    (name, step) => {
      // A command that fails is judged by the step that reads its invocations, which goes back itself.
      const judged: Record<string, string> = {
        SurveyReceivers: 'Compare',
        AcceptBoth: 'ConfirmBoth',
        MeasureReceivers: 'Judge',
        TakeFinalMode: 'ConfirmFinal',
        AskHealth: 'RefuseHealthCheck',
      };
      expect(step.onFailure).toBe(`step:${judged[name] ?? 'Undo'}`);
      if (step.action !== 'aws:loop') expect(step.onCancel).toBe('step:Undo');
    },
  );

  test('the way back ends, and only goes forward', () => {
    for (const name of undoPath) {
      const step = outer.find((each) => each.name === name);
      expect(step?.onCancel).toBeUndefined();
      expect(step?.isEnd === true || undoPath.indexOf(step?.nextStep ?? '') > undoPath.indexOf(name)).toBe(true);
    }
  });

  test('loops keep to 100 rounds', () => {
    for (const step of outer.filter((each) => each.action === 'aws:loop')) {
      expect(step.inputs.MaxIterations).toBeGreaterThan(1);
      expect(step.inputs.MaxIterations).toBeLessThanOrEqual(100);
    }
  });

  test('no output of a step inside a loop is used outside it', () => {
    for (const step of outer.filter((each) => each.action !== 'aws:loop')) {
      expect(referencesIn(step).filter((reference) => inLoops.has(reference.split('.')[0] ?? ''))).toEqual([]);
    }
  });

  test.each(
    steps.filter((step) => step.action === 'aws:invokeLambdaFunction').map((step): [string, Step] => [step.name, step]),
  )('step %s passes exactly what the function’s operation takes', (_name, { inputs, outputs }) => {
    const payload = inputs.InputPayload ?? {};
    const operation = operations[payload.operation as keyof typeof operations];
    expect(Object.keys(payload).sort()).toEqual(Object.keys(operation.entries).sort());
    for (const { Selector, Name } of outputs ?? []) expect(Selector).toBe(`$.Payload.${Name}`);
  });

  test.each(
    steps
      // That one asks what is, and nothing of what is to be.
      .filter((step) => step.action === 'aws:runCommand' && step.name !== 'AskHealth')
      .map((step): [string, Step] => [step.name, step]),
  )(
    'step %s passes every parameter of the Command document but the association’s Joining, and no other',
    (_name, { inputs }) => {
      expect(Object.keys(inputs.Parameters ?? {}).sort()).toEqual(
        Object.keys(receiver.parameters)
          .filter((name) => name !== 'Joining')
          .sort(),
      );
      for (const [name, value] of Object.entries(inputs.Parameters ?? {})) {
        const { allowedPattern, allowedValues } = receiver.parameters[name] ?? {};
        if (value.includes('{{')) continue;
        if (allowedValues !== undefined) expect(allowedValues).toContain(value);
        if (allowedPattern !== undefined) expect(value).toMatch(new RegExp(allowedPattern));
      }
    },
  );

  test('what the runbook takes for the receiver, the Command document takes', () => {
    for (const name of ['ExistingServers', 'Chat']) {
      expect(document.parameters[name]?.allowedValues?.toSorted()).toEqual(
        receiver.parameters[name]?.allowedValues?.toSorted(),
      );
    }
    for (const name of ['HealthPort', 'ChatArtifactSha256']) {
      expect(String(document.parameters[name]?.default)).toMatch(
        new RegExp(receiver.parameters[name]?.allowedPattern ?? '^$'),
      );
    }
  });

  test.each([
    ['', true],
    ['10.0.111.0/24', true],
    ['10.0.111.0/24 10.0.112.0/24', true],
    ['10.0.111.0/24,10.0.112.0/24', false],
    ['10.0.111.0/24 $(reboot)', false],
  ])('AlbCidrs %j: runbook and Command document agree whether they take it', (value, isTaken) => {
    for (const { allowedPattern = '^$' } of [document.parameters.AlbCidrs, receiver.parameters.AlbCidrs].map(
      (each) => each ?? {},
    )) {
      expect(new RegExp(allowedPattern).test(value)).toBe(isTaken);
    }
  });

  test('policies are set only behind the confirmation that every receiver accepts both, and receivers made strict only behind the verdict', () => {
    const order = outer.map((each) => each.name);
    const forward = [
      'Begin',
      'Plan',
      'Compare',
      'PrepareReceivers',
      'SetPolicies',
      'MeasureLoop',
      'Conclude',
      'SettleReceivers',
      'Finish',
    ];
    expect(order.filter((name) => forward.includes(name))).toEqual(forward);
    const nextOf = (name: string) => outer.find((each) => each.name === name)?.nextStep;
    expect(['PrepareReceivers', 'SetPolicies', 'MeasureLoop', 'Conclude', 'SettleReceivers'].map(nextOf)).toEqual([
      'SetPolicies',
      'MeasureLoop',
      'Conclude',
      'SettleReceivers',
      'Finish',
    ]);
  });
});
