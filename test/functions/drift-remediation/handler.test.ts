import { beforeEach, describe, expect, test } from '@jest/globals';
import { memoryName } from '../../../functions/drift-check/memory.ts';
import { recordName } from '../../../functions/drift-check/remediation-record.ts';
import { createHandler, type Outcome } from '../../../functions/drift-remediation/handler.ts';
import { state } from '../drift-check/situations.ts';
import { FakeAws, FakeError } from '../fake-aws.ts';

let aws: FakeAws;
let logged: object[];

const remember = (name: string, value: object) => aws.parameters.set(name, [JSON.stringify(value)]);

const FOUND_AT = '2026-11-21T11:59:00.000Z';

/** A load balancer that a check has found to have drifted. */
function addDrifted(name: string, at = FOUND_AT): void {
  remember(`/proxyflip/${name}`, state());
  remember(memoryName(name), { version: 1, status: 'MODIFIED', at, digest: 'x', since: {} });
}

const drift = (loadBalancer: string, ...kinds: string[]) => ({
  'detail-type': 'proxyflip drift',
  source: 'proxyflip',
  detail: { loadBalancer, status: 'MODIFIED', at: FOUND_AT, findings: kinds.map((kind) => ({ kind })) },
});

function remediate(event: object, remainingMs = 900_000): Promise<Outcome> {
  const endsAt = aws.now + remainingMs;
  const handler = createHandler({
    ssm: aws.ssm,
    events: aws.eventBridge,
    clock: aws.clock,
    log: (message, fields) => logged.push({ message, ...fields }),
    switchDocument: 'proxyflip-switch',
  });
  return handler(event, { getRemainingTimeInMillis: () => endsAt - aws.now });
}

/** As the runbook would, after so many looks at it. */
function endRuns(status: string, after = 2): void {
  let looks = 0;
  aws.onSleep = () => {
    looks += 1;
    if (looks >= after) for (const execution of aws.executions.values()) execution.status = status;
  };
}

const told = () => aws.events.filter(({ detailType }) => detailType === 'proxyflip remediation');
const outcomes = () => told().map(({ detail }) => detail.outcome);

beforeEach(() => {
  aws = new FakeAws();
  logged = [];
  aws.now = Date.parse('2026-11-21T12:00:00Z');
  addDrifted('web');
  endRuns('Success');
});

describe('remediation', () => {
  test('runs the switch as it was run, waits for its end, and has the check look at once', async () => {
    const outcome = await remediate(drift('web', 'policy-missing', 'nginx-down'));

    const run = { loadBalancer: 'web', kinds: ['policy-missing', 'nginx-down'], executionId: 'execution-1' };
    const mended = {
      ...run,
      outcome: 'mended',
      summary: 'Execution execution-1 has mended policy-missing, nginx-down at web.',
    };
    expect(outcome).toEqual(mended);
    expect(logged).toEqual([{ message: 'remediation', ...mended }]);
    expect(aws.executions.get('execution-1')?.parameters).toEqual({
      LoadBalancerName: ['web'],
      Direction: ['enable'],
      FleetTagKey: ['fleet'],
      FleetTagValue: ['web'],
      FinalMode: ['proxy'],
      ExcludePorts: ['22'],
      StartedBy: ['proxyflip drift remediation'],
    });
    expect(aws.events).toEqual([
      {
        detailType: 'proxyflip remediation',
        detail: {
          ...run,
          outcome: 'started',
          summary: 'policy-missing, nginx-down at web is being mended by execution execution-1.',
        },
      },
      { detailType: 'proxyflip remediation', detail: mended },
      { detailType: 'proxyflip check', detail: { loadBalancerName: 'web' } },
    ]);
    expect(aws.parameters.has('/proxyflip/drift/remediating')).toBe(false);
  });

  test('writes nothing but its memory, its turn and its events', async () => {
    await remediate(drift('web', 'policy-missing'));

    const turn = { Name: '/proxyflip/drift/remediating', Type: 'String' };
    const started = '2026-11-21T12:00:00.000Z';
    expect(
      aws.calls
        .filter(({ action }) => !/^(Get|List|Describe)/.test(action))
        .map(({ action, input }) => [action, input]),
    ).toEqual([
      ['PutParameter', { ...turn, Value: JSON.stringify({ loadBalancer: 'web', at: started }), Overwrite: false }],
      ['StartAutomationExecution', expect.objectContaining({ DocumentName: 'proxyflip-switch' })],
      [
        'PutParameter',
        {
          ...turn,
          Value: JSON.stringify({ loadBalancer: 'web', executionId: 'execution-1', at: started }),
          Overwrite: true,
        },
      ],
      [
        'PutParameter',
        {
          Name: '/proxyflip/drift/remediation/web',
          Value: JSON.stringify({
            version: 1,
            runs: [{ at: started, executionId: 'execution-1', kinds: ['policy-missing'] }],
          }),
          Type: 'String',
          Overwrite: true,
        },
      ],
      ['PutEvents', expect.anything()],
      ['DeleteParameter', { Name: '/proxyflip/drift/remediating' }],
      ['PutEvents', expect.anything()],
      ['PutEvents', expect.anything()],
    ]);
  });

  test.each<[string, () => void, object, string]>([
    [
      'kinds that the runbook does not mend',
      () => {},
      drift('web', 'policy-foreign', 'receiver-unreachable'),
      'No finding is of a kind that the runbook mends.',
    ],
    [
      'a kind of a later version',
      () => {},
      drift('web', 'something-new'),
      'No finding is of a kind that the runbook mends.',
    ],
    [
      'what is in sync again',
      () =>
        remember(memoryName('web'), {
          version: 1,
          status: 'IN_SYNC',
          at: '2026-11-21T11:59:20.000Z',
          digest: '',
          since: {},
        }),
      drift('web', 'nginx-down'),
      'web is not out of sync any more.',
    ],
    [
      'what nobody has switched',
      () => aws.parameters.delete('/proxyflip/web'),
      drift('web', 'nginx-down'),
      'web is not out of sync any more.',
    ],
    [
      'what a switch is at work on',
      () => {
        aws.executions.set('run-1', { status: 'InProgress' });
        remember('/proxyflip/web', state({ phase: 'policies' }));
        aws.onSleep = undefined;
      },
      drift('web', 'nginx-down'),
      'Execution run-1 is at work on web already.',
    ],
    [
      'what was mended in the moment in which it was found',
      () =>
        remember(recordName('web'), {
          version: 1,
          runs: [{ at: FOUND_AT, executionId: 'run-9', kinds: ['nginx-down'] }],
        }),
      drift('web', 'nginx-down'),
      'web was mended after this was found; the next check says how it is.',
    ],
    [
      'what was in sync in the moment in which the event says',
      () => remember(memoryName('web'), { version: 1, status: 'IN_SYNC', at: FOUND_AT, digest: '', since: {} }),
      drift('web', 'nginx-down'),
      'web is not out of sync any more.',
    ],
    [
      'an event that comes a second time',
      () =>
        remember(recordName('web'), {
          version: 1,
          runs: [{ at: '2026-11-21T11:59:30Z', executionId: 'run-9', kinds: ['nginx-down'] }],
        }),
      drift('web', 'nginx-down'),
      'web was mended after this was found; the next check says how it is.',
    ],
  ])('leaves alone %s', async (_desc, prepare, event, summary) => {
    prepare();
    const outcome = await remediate(event);

    expect(outcome).toEqual({
      loadBalancer: 'web',
      outcome: 'nothing to do',
      kinds: expect.any(Array),
      executionId: '',
      summary,
    });
    expect(aws.started).toBe(0);
    expect(told()).toEqual([]);
    expect(aws.parameters.has('/proxyflip/drift/remediating')).toBe(false);
  });

  test.each<[string, () => void]>([
    ['no memory at all', () => aws.parameters.delete(memoryName('web'))],
    [
      'the memory of the check before',
      () =>
        remember(memoryName('web'), {
          version: 1,
          status: 'IN_SYNC',
          at: '2026-11-20T09:00:00.000Z',
          digest: '',
          since: {},
        }),
    ],
  ])('the event is faster than what the check writes behind it: %s', async (_desc, prepare) => {
    prepare();
    expect((await remediate(drift('web', 'policy-missing'))).outcome).toBe('mended');
  });

  test('a run that fails is told, with the words of the run', async () => {
    endRuns('Failed');
    const outcome = await remediate(drift('web', 'policy-missing'));

    expect(outcome.outcome).toBe('failed');
    expect(outcome.summary).toContain('The switch ended in Failed');
    expect(outcomes()).toEqual(['started', 'failed']);
  });

  test('a run that Systems Manager has forgotten is told as failed', async () => {
    aws.onSleep = () => aws.executions.clear();
    const outcome = await remediate(drift('web', 'policy-missing'));

    expect(outcome).toMatchObject({ outcome: 'failed', summary: 'Execution execution-1 is not known any more.' });
    expect(outcomes()).toEqual(['started', 'failed']);
  });

  test('what is told fits into a line that a rule can put between quotation marks', async () => {
    aws.onSleep = () => {
      for (const execution of aws.executions.values()) {
        execution.status = 'Failed';
        execution.steps = [{ StepName: 'Compare', StepStatus: 'Failed', FailureMessage: 'it said "no"\nand ended' }];
      }
    };
    const outcome = await remediate(drift('web', 'policy-missing'));

    expect(outcome.summary).toContain('it said "no"\nand ended');
    expect(told().at(-1)?.detail.summary).toContain("it said 'no' and ended");
  });

  test('a memory that may not be read is an error, and the turn is given back', async () => {
    let reads = 0;
    aws.fault = (action, when) => {
      if (action !== 'GetParameter' || when !== 'before') return;
      reads += 1;
      if (reads === 1) throw new FakeError('AccessDeniedException');
    };

    await expect(remediate(drift('web', 'policy-missing'))).rejects.toThrow('AccessDeniedException');
    expect(aws.started).toBe(0);
    expect(aws.parameters.has('/proxyflip/drift/remediating')).toBe(false);
  });

  test('a runbook that cannot be started gives the turn back', async () => {
    aws.fault = (action) => {
      if (action === 'StartAutomationExecution') throw new Error('no such document');
    };

    await expect(remediate(drift('web', 'policy-missing'))).rejects.toThrow('no such document');
    expect(aws.parameters.has('/proxyflip/drift/remediating')).toBe(false);
  });
});

describe('the brake', () => {
  /** Somebody undoes the mend, and an hour later a check finds it. */
  async function undoneAgain(kind: string): Promise<Outcome> {
    aws.now += 3_600_000;
    addDrifted('web', new Date(aws.now).toISOString());
    aws.now += 60_000;
    return remediate(drift('web', kind));
  }

  test('lets what was mended twice within a day be', async () => {
    expect((await remediate(drift('web', 'policy-missing'))).outcome).toBe('mended');
    expect((await undoneAgain('policy-missing')).outcome).toBe('mended');
    const third = await undoneAgain('policy-missing');

    const left = {
      loadBalancer: 'web',
      outcome: 'left alone',
      kinds: ['policy-missing'],
      executionId: '',
      summary:
        "policy-missing at web was mended 2 times within a day and is there again: somebody undoes it. It is left alone; proxyflip's finding fought-over names who, where that shows.",
    };
    expect(third).toEqual(left);
    expect(aws.started).toBe(2);
    expect(told().at(-1)?.detail).toEqual(left);
  });

  test('is let go after a day', async () => {
    await remediate(drift('web', 'policy-missing'));
    await undoneAgain('policy-missing');
    aws.now += 24 * 3_600_000;

    expect((await undoneAgain('policy-missing')).outcome).toBe('mended');
  });

  test('names each kind that it is for', async () => {
    const mended = (at: string) => ({ at, executionId: 'run', kinds: ['policy-missing', 'nginx-down'] });
    remember(recordName('web'), { version: 1, runs: [mended('2026-11-21T09:00:00Z'), mended('2026-11-21T10:00:00Z')] });

    expect((await remediate(drift('web', 'policy-missing', 'nginx-down', 'listener-added'))).summary).toMatch(
      /^policy-missing, nginx-down at web was mended 2 times within a day /,
    );
  });

  test('is one for each kind', async () => {
    await remediate(drift('web', 'policy-missing'));
    await undoneAgain('policy-missing');

    expect((await undoneAgain('nginx-down')).outcome).toBe('mended');
    expect((await undoneAgain('policy-missing')).summary).toContain('was mended 2 times within a day');
  });
});

describe('one at a time', () => {
  const turnOf = (executionId?: string, at = '2026-11-21T11:59:00Z') =>
    remember('/proxyflip/drift/remediating', { loadBalancer: 'other', executionId, at });

  test('a load balancer waits for its turn', async () => {
    aws.executions.set('run-other', { status: 'InProgress' });
    turnOf('run-other');
    const outcome = await remediate(drift('web', 'policy-missing'));

    // Its own run came after the other's end.
    expect(outcome.outcome).toBe('mended');
    expect(aws.executions.get('run-other')?.status).toBe('Success');
  });

  test('a turn that outlasts the invocation is waited for in the next one', async () => {
    aws.executions.set('run-other', { status: 'InProgress' });
    turnOf('run-other');
    aws.onSleep = undefined;
    const outcome = await remediate(drift('web', 'policy-missing'), 120_000);

    expect(outcome).toEqual({
      loadBalancer: 'web',
      outcome: 'goes on',
      kinds: ['policy-missing'],
      executionId: '',
      summary: 'This invocation has come to its end; the next one goes on.',
    });
    // A minute before the invocation ends.
    expect(aws.now).toBe(Date.parse('2026-11-21T12:01:00Z'));
    expect(aws.started).toBe(0);
    expect(aws.events).toEqual([
      {
        detailType: 'proxyflip remediation goes on',
        detail: { loadBalancer: 'web', kinds: ['policy-missing'], foundAt: FOUND_AT, hop: 1 },
      },
    ]);
  });

  test('a run that outlasts the invocation is waited for in the next one, and not started again', async () => {
    aws.onSleep = undefined;
    const first = await remediate(drift('web', 'policy-missing'), 120_000);
    endRuns('Success', 1);
    const second = await remediate({
      'detail-type': 'proxyflip remediation goes on',
      detail: aws.events.at(-1)?.detail,
    });

    expect([first.outcome, second.outcome]).toEqual(['goes on', 'mended']);
    expect(aws.started).toBe(1);
    expect(outcomes()).toEqual(['started', 'mended']);
  });

  test('a turn of a function that died before it started a run is taken over', async () => {
    turnOf(undefined, '2026-11-21T11:00:00Z');

    expect((await remediate(drift('web', 'policy-missing'))).outcome).toBe('mended');
  });

  test.each([
    [
      'for its turn',
      undefined,
      'Look at the execution that has the turn (/proxyflip/drift/remediating) in Systems Manager under Automation.',
    ],
    ['for its run', 'run-other', 'Look at the execution run-other in Systems Manager under Automation.'],
  ])('nobody waits for ever %s', async (_desc, executionId, advice) => {
    aws.executions.set('run-other', { status: 'InProgress' });
    turnOf('run-other');
    aws.onSleep = undefined;
    const goesOn = (hop: number) =>
      remediate(
        {
          'detail-type': 'proxyflip remediation goes on',
          detail: { loadBalancer: 'web', kinds: ['policy-missing'], executionId, hop },
        },
        120_000,
      );

    expect((await goesOn(23)).outcome).toBe('goes on');
    await expect(goesOn(24)).rejects.toThrow(
      `ERR_OUT_OF_TIME: remediation of web has waited for 24 invocations. ${advice}`,
    );
  });
});
