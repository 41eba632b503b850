/**
 * The runbook's steps at the load balancer, one operation each. Every operation is idempotent: Automation and Lambda both call
 * again after a failure. None of them talks to an instance.
 */
import { type Input, parseInput } from './input.ts';
import { awaitFleet } from './steps/await-fleet.ts';
import { begin } from './steps/begin.ts';
import { compare } from './steps/compare.ts';
import { conclude } from './steps/conclude.ts';
import { confirmReceivers } from './steps/confirm-receivers.ts';
import type { Deps } from './steps/deps.ts';
import { finish } from './steps/finish.ts';
import { forget } from './steps/forget.ts';
import { judge } from './steps/judge.ts';
import { plan } from './steps/plan.ts';
import { refuseHealthCheck } from './steps/refuse-health-check.ts';
import { report } from './steps/report.ts';
import { setPolicies } from './steps/set-policies.ts';
import { undo } from './steps/undo.ts';
import { undone } from './steps/undone.ts';

export function createHandler(deps: Deps) {
  return async (event: unknown): Promise<object> => {
    const input = parseInput(event);
    deps.log('step', { operation: input.operation, loadBalancerName: input.loadBalancerName });
    const answer = await run(deps, input);
    // Where a runbook's selector begins is documented two ways for a Lambda step: the page of aws:loop selects `$.Retry` from the
    // answer itself, those of aws:executeScript `$.Payload.x` from the invocation. With a copy of itself under `Payload` the answer
    // is found by `$.Payload.x` either way.
    return { ...answer, Payload: answer };
  };
}

async function run(deps: Deps, input: Input): Promise<object> {
  switch (input.operation) {
    case 'AwaitFleet':
      return awaitFleet(deps, input);
    case 'Begin':
      return begin(deps, input);
    case 'Plan':
      return plan(deps, input);
    case 'RefuseHealthCheck':
      return refuseHealthCheck(deps, input);
    case 'Compare':
      return compare(deps, input);
    case 'ConfirmReceivers':
      return confirmReceivers(deps, input);
    case 'SetPolicies':
      return setPolicies(deps, input);
    case 'Judge':
      return judge(deps, input);
    case 'Conclude':
      return conclude(deps, input);
    case 'Finish':
      return finish(deps, input);
    case 'Forget':
      return forget(deps, input);
    case 'Report':
      return report(deps, input);
    case 'Undo':
      return undo(deps, input);
    case 'Undone':
      return undone(deps, input);
    default: {
      const never: never = input;
      throw new TypeError(`no such operation: ${JSON.stringify(never)}`);
    }
  }
}
