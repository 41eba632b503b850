/** The plan of the runbook that a stack has already: run with PlanOnly, which asks the receivers too, and changes nothing. */
import {
  type AutomationExecution,
  DescribeDocumentCommand,
  GetAutomationExecutionCommand,
  type SSMClient,
  StartAutomationExecutionCommand,
} from '@aws-sdk/client-ssm';
import type { Clock } from '../functions/shared/clock.ts';
import { ProxyflipError } from '../functions/shared/errors.ts';
import { hasEnded } from '../functions/shared/switch-state.ts';
import type { Artifact } from './artifacts.ts';
import { ownerOf } from './preflight.ts';

const POLL_MS = 1_000;

/** What a person reads of it, in this order; as `switch.yml` names its outputs. */
const SHOWN = {
  'instance ports': 'Plan.instancePorts',
  'policy changes': 'Plan.policyChanges',
  'receivers now': 'Compare.receivers',
  'already so': 'Compare.already',
  warnings: 'Begin.warnings',
  differences: 'Compare.differences',
};

/**
 * @param document  name of the stack's runbook
 * @param values    of the stack's parameters
 * @returns in words, a line each
 * @throws ProxyflipError ERR_PLAN  the runbook ended otherwise; with what it said
 */
export async function planByRunbook(
  { ssm, clock }: { readonly ssm: SSMClient; readonly clock: Clock },
  document: string,
  values: Readonly<Record<string, string>>,
): Promise<string[]> {
  const { Document } = await ssm.send(new DescribeDocumentCommand({ Name: document }));
  // Of an older version of the runbook, which knows fewer parameters.
  const known = new Set((Document?.Parameters ?? []).map(({ Name }) => Name));
  const parameters = Object.entries({ ...values, Direction: 'enable', PlanOnly: 'yes', FleetWaitSeconds: '0' });
  const { AutomationExecutionId: id } = await ssm.send(
    new StartAutomationExecutionCommand({
      DocumentName: document,
      Parameters: Object.fromEntries(
        parameters.filter(([name]) => known.has(name)).map(([name, value]) => [name, [value]]),
      ),
    }),
  );
  for (;;) {
    const { AutomationExecution: execution } = await ssm.send(
      new GetAutomationExecutionCommand({ AutomationExecutionId: id }),
    );
    if (execution !== undefined && hasEnded(execution.AutomationExecutionStatus)) return wordsOf(document, execution);
    await clock.sleep(POLL_MS);
  }
}

function wordsOf(document: string, execution: AutomationExecution): string[] {
  const { AutomationExecutionId: id, AutomationExecutionStatus: status, FailureMessage, Outputs = {} } = execution;
  if (status !== 'Success') {
    throw new ProxyflipError('ERR_PLAN', `${document} ended in ${status} (execution ${id}): ${FailureMessage ?? ''}`);
  }
  const width = Math.max(...Object.keys(SHOWN).map((name) => name.length));
  return Object.entries(SHOWN).flatMap(([name, output]) => {
    const text = Outputs[output]?.join(', ') ?? '';
    const lines = text === '' ? [] : text.split('\n');
    return lines.map((line, index) => `${(index === 0 ? name : '').padEnd(width)}  ${line}`.trimEnd());
  });
}

/** The stack's parameters as it passes them on: who owns the switch, and which of the packaged archives is the chat's. */
export function runbookParameters(
  values: Readonly<Record<string, string>>,
  stackId: string,
  artifacts: readonly Artifact[],
): Record<string, string> {
  const chat = artifacts.find(({ name }) => name === `chat-artifact/chat-${values.ChatArchitecture}.tar.gz`);
  const isPackagedChat = values.Chat === 'On' && values.ChatArtifactUrl === '' && chat !== undefined;
  return {
    ...values,
    Owner: ownerOf(stackId),
    ...(isPackagedChat && {
      ChatArtifactUrl: `s3://${values.ArtifactBucket}/${values.ArtifactPrefix}${chat.key}`,
      ChatArtifactSha256: chat.sha256,
    }),
  };
}
