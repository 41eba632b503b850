/** Documents of the suite, and executions of runbooks until they have ended. */
import {
  CreateDocumentCommand,
  DescribeDocumentCommand,
  GetAutomationExecutionCommand,
  type SSMClient,
  StartAutomationExecutionCommand,
  type StartAutomationExecutionCommandInput,
} from '@aws-sdk/client-ssm';
import { until } from './until.ts';

export type Step = Readonly<Record<string, unknown>> & { readonly name: string };

export interface Ended {
  readonly status: string | undefined;
  readonly steps: readonly { readonly name: string; readonly status: string }[];
  /** `Step.name` → its values; a text is a list of one. */
  readonly outputs: Readonly<Record<string, readonly string[]>>;
}

export async function createDocument(
  ssm: SSMClient,
  Name: string,
  DocumentType: 'Automation' | 'Command',
  content: object,
): Promise<void> {
  await ssm.send(
    new CreateDocumentCommand({ Name, DocumentType, DocumentFormat: 'JSON', Content: JSON.stringify(content) }),
  );
  await until(`document ${Name} is Active`, 60, async () => {
    const { Document } = await ssm.send(new DescribeDocumentCommand({ Name }));
    if (Document?.Status === 'Failed') throw new Error(`document ${Name}: ${Document.StatusInformation}`);
    return Document?.Status === 'Active';
  });
}

export async function start(ssm: SSMClient, input: StartAutomationExecutionCommandInput): Promise<string> {
  const { AutomationExecutionId = '' } = await ssm.send(new StartAutomationExecutionCommand(input));
  return AutomationExecutionId;
}

export async function endOf(ssm: SSMClient, AutomationExecutionId: string): Promise<Ended> {
  const execution = await until(`execution ${AutomationExecutionId} has ended`, 300, async () => {
    const answer = await ssm.send(new GetAutomationExecutionCommand({ AutomationExecutionId }));
    return answer.AutomationExecution?.ExecutionEndTime !== undefined && answer.AutomationExecution;
  });
  return {
    status: execution.AutomationExecutionStatus,
    steps: (execution.StepExecutions ?? []).map(({ StepName = '', StepStatus = '' }) => ({
      name: StepName,
      status: StepStatus,
    })),
    outputs: execution.Outputs ?? {},
  };
}

export async function run(
  ssm: SSMClient,
  DocumentName: string,
  content: object,
  Parameters: Record<string, string[]>,
): Promise<Ended> {
  await createDocument(ssm, DocumentName, 'Automation', content);
  return endOf(ssm, await start(ssm, { DocumentName, Parameters }));
}

/** What was started, with how it ended. */
export const pathOf = ({ steps }: Ended): string[] =>
  steps.filter(({ status }) => status !== 'Pending').map(({ name, status }) => `${name} ${status}`);
