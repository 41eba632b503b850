/**
 * What the runbook would refuse, before a stack is made for it: its own first steps, run here with the caller's credentials as a plan,
 * which reads and writes nothing. So a refusal has the same code and the same words in both places.
 */
import { createHandler } from '../functions/load-balancer/handler.ts';
import type { BeginAnswer } from '../functions/load-balancer/steps/begin.ts';
import type { Deps } from '../functions/load-balancer/steps/deps.ts';
import type { PlanAnswer } from '../functions/load-balancer/steps/plan.ts';
import { ProxyflipError, serviceErrorName } from '../functions/shared/errors.ts';

export type PreflightDeps = Omit<Deps, 'log'>;

/**
 * @param values   of the stack's parameters
 * @param stackId  undefined for a stack that is yet to be made: no state can be its own
 * @returns in words, a line each
 * @throws ProxyflipError  a refusal, as the runbook would end with it
 */
export async function preflight(
  deps: PreflightDeps,
  values: Readonly<Record<string, string>>,
  stackId: string | undefined,
): Promise<string[]> {
  const handler = createHandler({ ...deps, log: () => {} });
  const request = {
    loadBalancerName: values.LoadBalancerName,
    executionId: 'preflight',
    direction: 'enable',
    owner: ownerOf(stackId),
    startedBy: 'deploy',
    tagKey: values.FleetTagKey,
    tagValue: values.FleetTagValue,
    includePorts: values.IncludePorts,
    excludePorts: values.ExcludePorts,
    foreignPolicy: values.ForeignPolicy,
    emptyFleet: values.EmptyFleet,
    finalMode: values.FinalMode,
    healthPort: values.HealthPort,
    planOnly: 'yes',
  };
  try {
    const { warnings } = (await handler({ operation: 'Begin', ...request })) as BeginAnswer;
    const plan = (await handler({ operation: 'Plan', ...request, subnetCidrs: [], nodeAddresses: [] })) as PlanAnswer;
    return [
      `instance ports    ${plan.instancePorts}`,
      `instances         ${plan.instanceIds.join(', ') || 'none'}`,
      `policy changes    ${plan.policyChanges}`,
      `receivers become  both${plan.finalMode === 'both' ? ', and stay so' : ` on the way, then ${plan.finalMode}`}`,
      ...(warnings === '' ? [] : [`warnings          ${warnings}`]),
    ];
  } catch (error) {
    // Who may deploy need not be allowed to look: then the runbook, which may, is the first to know.
    if (DENIED.has(serviceErrorName(error) ?? '')) {
      return [`not looked at: ${(error as Error).message}. The runbook looks before it changes anything.`];
    }
    throw error instanceof ProxyflipError ? withHint(error) : error;
  }
}

/** As the custom resource signs what it asks for: `<stack id>/<logical id>`. */
export const ownerOf = (stackId = 'a stack that is yet to be made'): string => `${stackId}/ProxyProtocol`;

const DENIED = new Set(['AccessDenied', 'AccessDeniedException']);

/** A ProxyflipError's message begins with its code. */
function withHint(error: ProxyflipError): ProxyflipError {
  const sentence = error.message.slice(error.code.length + 2);
  return new ProxyflipError(
    error.code,
    `${sentence}\nNothing was deployed: the runbook would refuse with these words.`,
    {
      cause: error,
    },
  );
}
