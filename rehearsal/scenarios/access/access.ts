/**
 * `npm run rehearse -- access`: that the permissions which ship suffice, and are no more than what is needed. An operator with the
 * policy of the stack runs the runbooks, on and off and cancelled, and is refused whatever else he tries; so is an instance. In the
 * end every permission of the stack has been used, or is named with the reason.
 */
import { DescribeStackResourcesCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  DescribeAutomationExecutionsCommand,
  DescribeAutomationStepExecutionsCommand,
  DescribeDocumentCommand,
  GetDocumentCommand,
  GetParameterCommand,
  ListDocumentsCommand,
  SSMClient,
  StartAutomationExecutionCommand,
  StopAutomationExecutionCommand,
} from '@aws-sdk/client-ssm';
import type { Environment } from '../../environment.ts';
import { ARTIFACT_BUCKET, FLEET_TAG, LOAD_BALANCER } from '../../fleet.ts';
import { RESENT_BY_A_SWITCH, type Required } from '../../report/result.ts';
import type { SsmEvent } from '../../ssm/service.ts';
import { judged, type Play, type Stage } from '../judged.ts';
import type { ScenarioOptions } from '../options.ts';
import { type Direction, failureOf, startRunbook, waitForExecution } from '../runbook.ts';
import { createStack, deleteStack, fleetParameters, STACK, stackParameters, waitForStack } from '../stack.ts';
import { joinOneInstance } from './instance.ts';
import { assumeOperator, INSTANCE_ROLE, makePeople, OPERATOR_ROLE, type Session, setOperatorPolicy } from './people.ts';
import { attempt, forInstances, forOperators, isRefused, type Outcome, type Targets } from './refused.ts';
import { NOT_IN_THIS_STACK, NOT_USED_HERE, unused } from './unused.ts';

export async function access(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  // Amazon Linux has the AWS CLI, by which an instance fetches from S3.
  return judged({ ...options, image: 'amazon' }, interrupted, (stage) => new Access(stage));
}

/** On by the stack, off by the operator, on by the operator, off by the stack's deletion: each ends in a reload of nginx. */
const SWITCHES = 4;

const FLEET = { FleetTagKey: [FLEET_TAG.key], FleetTagValue: [FLEET_TAG.value] };

const artifactKey = (url: string): string => url.slice(url.lastIndexOf('/') + 1);

/** What the operator did, and how it ended. */
interface Deed {
  readonly what: string;
  readonly wanted: string;
  readonly ended: string;
}

class Access implements Play {
  readonly title = `${LOAD_BALANCER}: who may do what`;
  readonly refusedRoles = [OPERATOR_ROLE, INSTANCE_ROLE];
  readonly required: Partial<Required>;
  readonly #environment: Environment;
  readonly #interrupted: AbortSignal;
  readonly #parameters: Readonly<Record<string, string>>;
  readonly #stackParameters: Readonly<Record<string, string>>;
  readonly #deeds: Deed[] = [];
  readonly #outcomes: Outcome[] = [];

  constructor({ environment, fleet, options, interrupted }: Stage) {
    this.required = {
      newConnections: 1_000,
      webSockets: options.webSockets,
      resentAtMost: SWITCHES * RESENT_BY_A_SWITCH,
    };
    this.#environment = environment;
    this.#interrupted = interrupted;
    const chat = { ChatArtifactUrl: `s3://${ARTIFACT_BUCKET}/${artifactKey(fleet.chat?.ChatArtifactUrl ?? '')}` };
    this.#parameters = { ...fleetParameters(fleet, options), ...chat };
    this.#stackParameters = { ...stackParameters(fleet, options), ...chat, InstanceRoleName: INSTANCE_ROLE };
  }

  details() {
    return { deeds: this.#deeds, refused: this.#outcomes, unused: this.#unused() };
  }

  lines(): string[] {
    return [
      ...this.#deeds.map(({ what, ended }) => `may       ${what}: ${ended}`),
      ...this.#outcomes.map(({ who, what, refusedBy }) => `may not   ${who}, ${what}: ${refusedBy}`),
      ...this.#unused().map((each) => `not used  ${each}: ${NOT_USED_HERE[each] ?? 'NOBODY KNOWS WHY'}`),
      ...Object.entries(NOT_IN_THIS_STACK).map(([each, why]) => `not here  ${each}: ${why}`),
    ];
  }

  shortfalls(): string[] {
    return [
      ...this.#deeds
        .filter(({ wanted, ended }) => ended !== wanted)
        .map(({ what, wanted, ended }) => `${what}: ${ended}, not ${wanted}`),
      ...this.#outcomes
        .filter((each) => !isRefused(each))
        .map(({ who, what, refusedBy }) => `${who} was not refused to ${what}: ${refusedBy}`),
      ...this.#unused()
        .filter((each) => NOT_USED_HERE[each] === undefined)
        .map((each) => `no call has used ${each}`),
    ];
  }

  async play(): Promise<string> {
    const { cloudFormation } = this.#environment.clients;
    await makePeople(cloudFormation);
    await createStack(this.#environment, this.#stackParameters);
    const status = await waitForStack(this.#environment, this.#interrupted);
    if (status !== 'CREATE_COMPLETE') return status;
    await setOperatorPolicy(cloudFormation, await this.#output('OperatorPolicyArn'));
    const session = await assumeOperator(this.#environment);
    await this.#operate(session);
    const targets = await this.#targets();
    this.#outcomes.push(...(await attempt('the operator', forOperators(session, targets))));
    const instance = await joinOneInstance(this.#environment, this.#interrupted);
    const what = 'join, and fetch the chat with the instance’s role';
    this.#deeds.push({ what, wanted: 'Success', ended: instance.ended });
    this.#outcomes.push(...(await attempt('an instance', forInstances(instance.session, targets))));
    await setOperatorPolicy(cloudFormation, undefined);
    await deleteStack(this.#environment);
    return waitForStack(this.#environment, this.#interrupted);
  }

  async #operate(session: Session): Promise<void> {
    const ssm = new SSMClient(session);
    await this.#do('find the runbooks', () => ssm.send(new ListDocumentsCommand({})));
    for (const Name of [`${STACK}-switch`, `${STACK}-state`, `${STACK}-drift`]) {
      await this.#do(`look at ${Name}`, () => ssm.send(new DescribeDocumentCommand({ Name })));
      await this.#do(`read ${Name}`, () => ssm.send(new GetDocumentCommand({ Name })));
    }
    await this.#run(ssm, 'ask for the state', () => this.#start(ssm, 'state', FLEET));
    await this.#run(ssm, 'ask for drift', () => this.#start(ssm, 'drift', {}));
    await this.#run(ssm, 'plan', () => this.#startSwitch(ssm, 'disable', { PlanOnly: 'yes' }));
    await this.#run(
      ssm,
      'cancel a disable in its first shell step',
      () => this.#cancelled(ssm, 'disable'),
      'Cancelled',
    );
    await this.#run(ssm, 'disable', () => this.#startSwitch(ssm, 'disable'));
    await this.#run(ssm, 'enable', () => this.#startSwitch(ssm, 'enable'));
    await this.#do('list executions', () => ssm.send(new DescribeAutomationExecutionsCommand({})));
    await this.#do('read the state', () => ssm.send(new GetParameterCommand({ Name: `/proxyflip/${LOAD_BALANCER}` })));
  }

  async #do(what: string, call: () => Promise<unknown>): Promise<void> {
    this.#interrupted.throwIfAborted();
    const ended = await call().then(
      () => 'done',
      (error: Error) => `${error.name}: ${error.message}`,
    );
    this.#deeds.push({ what, wanted: 'done', ended });
  }

  async #run(ssm: SSMClient, what: string, start: () => Promise<string>, wanted = 'Success'): Promise<void> {
    try {
      const id = await start();
      const execution = await waitForExecution({ clients: { ssm } }, id, this.#interrupted);
      await ssm.send(new DescribeAutomationStepExecutionsCommand({ AutomationExecutionId: id }));
      const status = execution.AutomationExecutionStatus ?? '';
      this.#deeds.push({ what, wanted, ended: status === wanted ? status : `${status}: ${failureOf(execution)}` });
    } catch (error) {
      this.#interrupted.throwIfAborted();
      this.#deeds.push({ what, wanted, ended: String(error) });
    }
  }

  #startSwitch(ssm: SSMClient, direction: Direction, more: Readonly<Record<string, string>> = {}): Promise<string> {
    return startRunbook({ clients: { ssm } }, direction, { ...this.#parameters, ...more });
  }

  async #start(ssm: SSMClient, runbook: string, more: Readonly<Record<string, string[]>>): Promise<string> {
    const { AutomationExecutionId = '' } = await ssm.send(
      new StartAutomationExecutionCommand({
        DocumentName: `${STACK}-${runbook}`,
        Parameters: { LoadBalancerName: [LOAD_BALANCER], ...more },
      }),
    );
    return AutomationExecutionId;
  }

  /** While a shell is at work, so that its command has to be cancelled, too. */
  async #cancelled(ssm: SSMClient, direction: Direction): Promise<string> {
    const atWork = new Promise<void>((resolve) => {
      const unsubscribe = this.#environment.ssm.subscribe((event: SsmEvent) => {
        if (event.type !== 'invocation' || event.status !== 'InProgress') return;
        unsubscribe();
        resolve();
      });
    });
    const id = await this.#startSwitch(ssm, direction);
    await atWork;
    await ssm.send(new StopAutomationExecutionCommand({ AutomationExecutionId: id, Type: 'Cancel' }));
    return id;
  }

  async #targets(): Promise<Targets> {
    const { cloudFormation } = this.#environment.clients;
    const { StackResources = [] } = await cloudFormation.send(new DescribeStackResourcesCommand({ StackName: STACK }));
    const idOf = (logicalId: string): string =>
      StackResources.find(({ LogicalResourceId }) => LogicalResourceId === logicalId)?.PhysicalResourceId ?? '';
    const [instanceId = ''] = this.#environment.world.instances.keys();
    return {
      instanceId,
      functionName: idOf('LoadBalancerFunction'),
      automationRoleArn: this.#environment.iam.roles.get(idOf('AutomationRole'))?.arn ?? '',
      artifactKey: artifactKey(this.#parameters.ChatArtifactUrl ?? ''),
    };
  }

  async #output(name: string): Promise<string> {
    const { Stacks } = await this.#environment.clients.cloudFormation.send(
      new DescribeStacksCommand({ StackName: STACK }),
    );
    const found = Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === name)?.OutputValue;
    if (found === undefined) throw new Error(`the stack has no output ${name}`);
    return found;
  }

  #unused(): string[] {
    return unused(this.#environment.authorizer.uses, STACK);
  }
}
