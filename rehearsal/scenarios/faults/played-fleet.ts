/** The parts of the matrix that no connection is needed for: faults at the calls of the product, the fleet being played. */
import type { ApiFault } from '../../faults/api-faults.ts';
import type { Case } from '../../faults/case.ts';
import { createPlayedAccount, type PlayedAccount } from '../../faults/played-account.ts';
import { isWrite, type RecordedCall } from '../../faults/recorded-call.ts';
import { type CloudFormationRequest, RequestFaults } from '../../faults/request-faults.ts';
import { type FaultStage, OUT_OF_TIME, SwitchFaults } from '../../faults/switch-faults.ts';
import { ARTIFACT_BUCKET, FLEET_TAG, LOAD_BALANCER } from '../../fleet.ts';
import { createStack, waitForStack } from '../stack.ts';
import type { FaultPart, PartResult } from './faults.ts';

const MACHINES = 2;

const FLEET = { LoadBalancerName: LOAD_BALANCER, FleetTagKey: FLEET_TAG.key, FleetTagValue: FLEET_TAG.value };
/** Nodes follow within a moment, and no client of the old kind has to be waited for. */
const PARAMETERS = { ...FLEET, QuietSeconds: '0', MeasureSeconds: '180' };

/** Which faults, and at which calls those that end a run. */
interface Choice {
  isFault(fault: Pick<ApiFault, 'name'>): boolean;
  isEndingAt(call: RecordedCall): boolean;
}

export const callsOfThePlayedFleet: FaultPart = {
  name: 'calls',
  run: (_options, interrupted, tell, isWanted) =>
    onThePlayedFleet({ isFault: ({ name }) => isWanted(name), isEndingAt: () => true }, interrupted, tell),
};

/** For `npm test`: what comes back after it was done, and what ends a run around each write of a function. */
export const coreOfThePlayedFleet: FaultPart = {
  name: 'core',
  isPartOfAnother: true,
  run: (_options, interrupted, tell) =>
    onThePlayedFleet(
      {
        isFault: ({ name }) => ['connection reset after', 'done twice', 'function killed after'].includes(name),
        isEndingAt: (call) => isWrite(call) && call.by === 'function',
      },
      interrupted,
      tell,
    ),
};

export const callsOfTheCustomResource: FaultPart = {
  name: 'custom-resource',
  async run(_options, interrupted, tell, isWanted) {
    await using account = await createPlayedAccount(MACHINES);
    const sent = recordRequests(account);
    // Nodes need no time, but a second is the least that the template takes.
    const parameters = { ...FLEET, QuietSeconds: '1', ArtifactBucket: ARTIFACT_BUCKET };
    await createStack(account, parameters);
    const status = await waitForStack(account, interrupted);
    if (status !== 'CREATE_COMPLETE') return { shortfalls: [`the stack ended in ${status}`] };
    const [first] = sent;
    if (first === undefined) return { shortfalls: ['CloudFormation has not invoked the custom resource'] };
    await using requests = new RequestFaults(
      stageOf('custom resource', account, interrupted),
      first.functionName,
      first.request,
    );
    for await (const each of requests.cases(requests.faults.filter(({ name }) => isWanted(name)))) tell(each);
    return { shortfalls: [] };
  },
};

/** What CloudFormation has sent to the custom resource's function, as it comes. */
function recordRequests({ endpoint }: PlayedAccount) {
  const sent: { readonly functionName: string; readonly request: CloudFormationRequest }[] = [];
  endpoint.intercept({
    before: ({ service, action, input }) => {
      const { FunctionName = '', Payload } = input as { readonly FunctionName?: string; readonly Payload?: Uint8Array };
      if (service === 'lambda' && action === 'Invoke' && FunctionName.includes('-ProxyProtocolFunction-')) {
        const [, functionName = FunctionName] = /function:([^:]+)/.exec(FunctionName) ?? [];
        sent.push({ functionName, request: JSON.parse(Buffer.from(Payload ?? []).toString()) });
      }
      return undefined;
    },
  });
  return sent;
}

const stageOf = (part: string, account: PlayedAccount, interrupted: AbortSignal): FaultStage => ({
  part,
  account,
  parameters: PARAMETERS,
  interrupted,
  modes: () => account.receivers.map(({ mode }) => mode),
  unserved: () => account.unserved(),
});

async function onThePlayedFleet(
  { isFault, isEndingAt }: Choice,
  interrupted: AbortSignal,
  tell: (each: Case) => void,
): Promise<PartResult> {
  await using account = await createPlayedAccount(MACHINES);
  await createStack(account, { ...FLEET, SwitchFromStack: 'No', ArtifactBucket: ARTIFACT_BUCKET });
  const status = await waitForStack(account, interrupted);
  if (status !== 'CREATE_COMPLETE') return { shortfalls: [`the stack ended in ${status}`] };
  await using switching = new SwitchFaults(stageOf('calls', account, interrupted));
  await switching.record();
  console.log(`${switching.calls.length} calls recorded, both directions and the ways back`);
  const faults = switching.faults.filter(isFault);
  for await (const each of switching.survived(faults)) tell(each);
  for await (const each of switching.ending(faults, isEndingAt)) tell(each);
  if (isFault(OUT_OF_TIME)) for await (const each of switching.outOfTime()) tell(each);
  if (isFault({ name: 'a second run at the same time' })) {
    for await (const each of switching.secondRuns()) tell(each);
  }
  return { shortfalls: [] };
}
