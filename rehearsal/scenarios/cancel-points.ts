/** Where a runbook can be cancelled, read from the document itself: a step that is added to it is a point more. Pure. */

export interface CancelPoint {
  readonly step: string;
  readonly where: 'at the beginning of' | 'in the middle of';
  /** How an execution has to run to come to it. */
  readonly on:
    | 'the way'
    | 'the way back'
    | 'the short way'
    | 'the way of a load balancer that is gone'
    | 'the way of a health check that does not fit';
}

interface Step {
  readonly name: string;
  readonly action: string;
  readonly isEnd?: boolean;
  readonly nextStep?: string;
  readonly onCancel?: string;
  readonly onFailure?: string;
  readonly inputs?: { readonly Steps?: readonly Step[]; readonly Choices?: readonly { readonly NextStep: string }[] };
}

/** By the shape of the runbook's names: the ends that are not reached by the way of a switch, and what undoing begins with. */
const UNDO = 'Undo';
const ENDS_OF_OTHER_WAYS: Readonly<Record<string, CancelPoint['on']>> = {
  FinishUnchanged: 'the short way',
  // Both ways end here; behind the long one all is so already, and the next run would be short.
  EndSwitch: 'the short way',
  ForgetLoadBalancer: 'the way of a load balancer that is gone',
  ...Object.fromEntries(
    ['DescribeInstances', 'DescribeSecurityGroups', 'AskHealth', 'RefuseHealthCheck'].map((step) => [
      step,
      'the way of a health check that does not fit' as const,
    ]),
  ),
};

export function cancelPoints({ mainSteps }: { readonly mainSteps: readonly Step[] }): CancelPoint[] {
  const undo = mainSteps.findIndex(({ name }) => name === UNDO);
  return mainSteps.flatMap((step, index): CancelPoint[] => {
    const on = ENDS_OF_OTHER_WAYS[step.name] ?? (undo >= 0 && index >= undo ? 'the way back' : 'the way');
    return [step, ...(step.inputs?.Steps ?? [])].flatMap(({ name, action }): CancelPoint[] => [
      { step: name, where: 'at the beginning of', on },
      ...(action === 'aws:runCommand' ? [{ step: name, where: 'in the middle of', on } as const] : []),
    ]);
  });
}
