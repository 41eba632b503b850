/** `npm run deploy`: look, refuse what cannot work, package, show what changes, deploy by change set, tell how it went. */
import { DeleteStackCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { parse } from 'yaml';
import { ProxyflipError } from '../functions/shared/errors.ts';
import { readArtifacts } from './artifacts.ts';
import { type ChangeSet, createChangeSet, deleteChangeSet, describeChanges, executeChangeSet } from './change-set.ts';
import { causes, newEvents } from './events.ts';
import { type FollowDeps, followStack } from './follow.ts';
import type { DeployOptions } from './options.ts';
import { countObjects, type Package, type PackageDeps, preparePackage, uploadPackage } from './package.ts';
import type { PackagedTemplate } from './packaged-template.ts';
import { type DeclaredParameters, requireNames, type StackParameters, stackParameters } from './parameters.ts';
import { type PreflightDeps, preflight } from './preflight.ts';
import { planByRunbook, runbookParameters } from './runbook-plan.ts';
import { changeSetType, describeStack, isEmpty, outputsOf, parametersOf } from './stack.ts';
import type { Runbook } from './switch-words.ts';

export interface DeployDeps extends PackageDeps, PreflightDeps, FollowDeps {}

/** @returns exit status: 0 only where the stack is as it was asked for, or a plan was shown */
export async function deploy(deps: DeployDeps, options: DeployOptions): Promise<number> {
  const { cloudFormation, say } = deps;
  const before = await describeStack(cloudFormation, options.stack);
  const type = changeSetType(options.stack, before?.StackStatus);

  const prepared = await preparePackage(deps, options);
  const { declared, runbook } = readPackaged(prepared);
  const former = type === 'UPDATE' && before !== undefined ? parametersOf(before) : undefined;
  const parameters = stackParameters(declared, former, options.parameters);
  requireNames(parameters.values);

  const loadBalancerName = switchedLoadBalancer(parameters.values);
  if (loadBalancerName !== undefined) {
    say(`Looking at ${loadBalancerName} and its fleet, as the runbook will`);
    const stackId = isEmpty(before?.StackStatus) ? undefined : before?.StackId;
    for (const line of await preflight(deps, parameters.values, stackId)) say(`  ${line}`);
  }

  say(`s3://${options.bucket}/${options.prefix}: ${countObjects(await uploadPackage(deps.s3, prepared))}`);
  const changeSet = await makeChangeSet(deps, options, prepared.template, type, parameters);
  if (changeSet.changes.length === 0) say(`The stack ${options.stack} is so already: nothing to change.`);
  else say(`${type === 'CREATE' ? 'To be created' : 'To be changed'} in the stack ${options.stack}:`);
  for (const line of describeChanges(changeSet.changes)) say(`  ${line}`);

  if (options.plan) {
    await throwAway(deps, changeSet, before);
    await sayRunbookPlan(deps, before, parameters.values);
    say('This was a plan: nothing was changed. The uploads stay in the bucket.');
    return 0;
  }
  if (changeSet.changes.length === 0) {
    await throwAway(deps, changeSet, before);
    return 0;
  }
  return execute(deps, options, changeSet, parameters, runbook);
}

/** undefined where the stack switches none, or one that it makes itself. */
const switchedLoadBalancer = (values: StackParameters['values']): string | undefined =>
  values.SwitchFromStack === 'Yes' ? values.LoadBalancerName : undefined;

/** The runbook may be in a template that this one nests. */
function readPackaged({ template, templates }: Package): { declared: DeclaredParameters; runbook: Runbook } {
  const { Parameters: declared = {} } = parse(template.text, { version: '1.1' }) as { Parameters?: DeclaredParameters };
  const runbooks = templates.map(({ text }) => {
    const { Resources } = parse(text, { version: '1.1' }) as {
      Resources: Record<string, { Properties?: { Content?: Runbook } }>;
    };
    return Resources.SwitchDocument?.Properties?.Content;
  });
  return { declared, runbook: runbooks.find((runbook) => runbook !== undefined) ?? {} };
}

function makeChangeSet(
  { cloudFormation, clock }: DeployDeps,
  { stack, tags }: DeployOptions,
  template: PackagedTemplate,
  type: 'CREATE' | 'UPDATE',
  { request }: StackParameters,
): Promise<ChangeSet> {
  return createChangeSet(cloudFormation, clock, {
    StackName: stack,
    ChangeSetName: `deploy-${clock.now()}`,
    ChangeSetType: type,
    Description: 'npm run deploy',
    TemplateURL: template.url,
    Parameters: [...request],
    Capabilities: ['CAPABILITY_IAM'],
    // Without any the stack keeps those that it has.
    ...(Object.keys(tags).length > 0 && { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }),
  });
}

/** A first change set makes a stack with nothing in it; that goes, too, unless it was there before. */
async function throwAway(
  { cloudFormation }: DeployDeps,
  changeSet: ChangeSet,
  before: Stack | undefined,
): Promise<void> {
  await deleteChangeSet(cloudFormation, changeSet);
  if (before === undefined) await cloudFormation.send(new DeleteStackCommand({ StackName: changeSet.stackId }));
}

async function sayRunbookPlan(
  deps: DeployDeps,
  before: Stack | undefined,
  values: StackParameters['values'],
): Promise<void> {
  const document = before === undefined ? undefined : outputsOf(before).SwitchDocument;
  if (!values.LoadBalancerName) return;
  if (before?.StackId === undefined || document === undefined) {
    deps.say('The receivers were not asked: that is the work of the runbook, and there is none yet.');
    deps.say('To have its plan before anything is switched, deploy with --parameter SwitchFromStack=No first.');
    return;
  }
  deps.say(`The plan of the runbook ${document}, as it is in the stack now:`);
  const parameters = runbookParameters(values, before.StackId, readArtifacts(deps.root));
  for (const line of await planByRunbook(deps, document, parameters)) deps.say(`  ${line}`);
}

async function execute(
  deps: DeployDeps,
  options: DeployOptions,
  changeSet: ChangeSet,
  parameters: StackParameters,
  runbook: Runbook,
): Promise<number> {
  const { cloudFormation, say } = deps;
  const known = await newEvents(cloudFormation, changeSet.stackId, new Set());
  await executeChangeSet(cloudFormation, changeSet);
  say(`CloudFormation works on it; Ctrl-C ends this view and not the deployment.`);
  const { stack, events } = await followStack(
    deps,
    changeSet.stackId,
    new Set(known.map(({ EventId = '' }) => EventId)),
    runbook,
  );
  const status = stack?.StackStatus ?? 'DELETE_COMPLETE';
  if (status !== 'CREATE_COMPLETE' && status !== 'UPDATE_COMPLETE') throw failed(options, status, causes(events));
  say(`The stack ${options.stack} is in ${status}.`);
  const outputs = Object.entries(outputsOf(stack as Stack));
  const width = Math.max(0, ...outputs.map(([name]) => name.length));
  for (const [name, value] of outputs) say(`  ${name.padEnd(width)}  ${value}`);
  for (const line of wayBack(options, status, parameters)) say(line);
  return 0;
}

function wayBack({ stack }: DeployOptions, status: string, { values, changed }: StackParameters): string[] {
  const deletion = `aws cloudformation delete-stack --stack-name ${stack}`;
  const switched = values.SwitchFromStack === 'Yes';
  const meaning =
    values.DeletionMode === 'Retain'
      ? 'leaves the fleet as it is'
      : switched
        ? 'switches off, the safe way round'
        : 'removes it all';
  const former = changed.filter(({ name }) => !name.startsWith('Artifact'));
  return [
    ...(status === 'UPDATE_COMPLETE' && former.length > 0
      ? [
          `To take these parameters back, deploy again with ${former.map(({ name, before }) => `--parameter '${name}=${before}'`).join(' ')}`,
        ]
      : []),
    `To undo: ${deletion}   (${meaning})`,
  ];
}

function failed({ stack }: DeployOptions, status: string, reasons: readonly string[]): ProxyflipError {
  const wayOut =
    status === 'ROLLBACK_COMPLETE' || status === 'CREATE_FAILED'
      ? `Mend it, then: aws cloudformation delete-stack --stack-name ${stack} and deploy again.`
      : 'Mend it, and deploy again.';
  return new ProxyflipError(
    'ERR_DEPLOY',
    `the stack ${stack} ended in ${status}.\n${reasons.map((reason) => `- ${reason}`).join('\n')}\n${wayOut}`,
  );
}
