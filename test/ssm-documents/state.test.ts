import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { operations } from '../../functions/load-balancer/input.ts';
import { describeProblems, readAutomationDocument } from '../../rehearsal/ssm/document-schema/index.ts';

interface Step {
  readonly name: string;
  readonly action: string;
  readonly inputs: {
    readonly InputPayload?: Readonly<Record<string, string>>;
    readonly Parameters?: Readonly<Record<string, string>>;
  };
  readonly outputs?: readonly { readonly Name: string }[];
}

const document: { readonly mainSteps: readonly Step[]; readonly outputs: readonly string[] } = parse(
  readFileSync(fileURLToPath(new URL('../../ssm-documents/state.yml', import.meta.url)), 'utf8'),
  { version: '1.1' },
);
const asCloudFormationResolvesIt = (_key: string, value: { Ref?: string; 'Fn::GetAtt'?: string[] } | null) =>
  value?.Ref ?? (value?.['Fn::GetAtt'] === undefined ? value : 'arn:aws:iam::111122223333:role/automation');

describe('ssm-documents/state.yml', () => {
  test('is a document that Systems Manager takes', () => {
    const { problems } = readAutomationDocument(JSON.parse(JSON.stringify(document, asCloudFormationResolvesIt)));
    expect(describeProblems(problems)).toBe('');
  });

  test('only asks: receivers for their status, the function for a report', () => {
    expect(document.mainSteps.map(({ action, inputs }) => [action, inputs.Parameters ?? inputs.InputPayload])).toEqual([
      ['aws:runCommand', { Operation: 'Status' }],
      ['aws:invokeLambdaFunction', expect.objectContaining({ operation: 'Report' })],
    ]);
  });

  test('passes the function what it takes', () => {
    const payload = document.mainSteps.flatMap(({ inputs }) => Object.keys(inputs.InputPayload ?? {}));
    expect(payload.sort()).toEqual(Object.keys(operations.Report.entries).sort());
  });

  test('puts out everything that the function answers', () => {
    const outputs = document.mainSteps.flatMap(({ name, outputs: own = [] }) =>
      own.map(({ Name }) => `${name}.${Name}`),
    );
    expect(document.outputs).toEqual(outputs);
  });
});
