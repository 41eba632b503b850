import { beforeEach, describe, expect, test } from '@jest/globals';
import { memoryName } from '../../../functions/drift-check/memory.ts';
import { recordName } from '../../../functions/drift-check/remediation-record.ts';
import { createHandler, type Outcome } from '../../../functions/drift-remediation/handler.ts';
import { state } from '../drift-check/situations.ts';
import { FakeAws } from '../fake-aws.ts';

let aws: FakeAws;

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
    log: () => {},
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
  aws.now = Date.parse('2026-11-21T12:00:00Z');
  addDrifted('web');
  endRuns('Success');
});

describe('remediation', () => {
  test('runs the switch as it was run, waits for its end, and has the check look at once', async () => {
    const outcome = await remediate(drift('web', 'policy-missing'));

    expect(outcome).toMatchObject({ outcome: 'mended', executionId: 'execution-1', kinds: ['policy-missing'] });
    expect(aws.executions.get('execution-1')?.parameters).toEqual({
      LoadBalancerName: ['web'],
      Direction: ['enable'],
      FleetTagKey: ['fleet'],
      FleetTagValue: ['web'],
      FinalMode: ['proxy'],
      ExcludePorts: ['22'],
      StartedBy: ['proxyflip drift remediation'],
    });
    expect(outcomes()).toEqual(['started', 'mended']);
    expect(aws.events.at(-1)).toEqual({ detailType: 'proxyflip check', detail: { loadBalancerName: 'web' } });
    expect(aws.parameters.has('/proxyflip/drift/remediating')).toBe(false);
  });

  test('writes nothing but its memory, its turn and its events', async () => {
    await remediate(drift('web', 'policy-missing'));

    const writes = aws.calls.filter(({ action }) => !/^(Get|List|Describe)/.test(action));
    expect([...new Set(writes.map(({ action, input }) => `${action} ${input.Name ?? ''}`.trim()))].sort()).toEqual([
      'DeleteParameter /proxyflip/drift/remediating',
      'PutEvents',
      'PutParameter /proxyflip/drift/remediating',
      'PutParameter /proxyflip/drift/remediation/web',
      'StartAutomationExecution',
    ]);
  });

  test.each<[string, () => void, object, string]>([
    [
      'kinds that the runbook does not mend',
      () => {},
      drift('web', 'policy-foreign', 'receiver-unreachable'),
      'No finding',
    ],
    ['a kind of a later version', () => {}, drift('web', 'something-new'), 'No finding'],
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
      'not out of sync',
    ],
    [
      'what nobody has switched',
      () => aws.parameters.delete('/proxyflip/web'),
      drift('web', 'nginx-down'),
      'not out of sync',
    ],
    [
      'what a switch is at work on',
      () => {
        aws.executions.set('run-1', { status: 'InProgress' });
        remember('/proxyflip/web', state({ phase: 'policies' }));
        aws.onSleep = undefined;
      },
      drift('web', 'nginx-down'),
      'run-1 is at work',
    ],
    [
      'an event that comes a second time',
      () =>
        remember(recordName('web'), {
          version: 1,
          runs: [{ at: '2026-11-21T11:59:30Z', executionId: 'run-9', kinds: ['nginx-down'] }],
        }),
      drift('web', 'nginx-down'),
      'mended after this was found',
    ],
  ])('leaves alone %s', async (_desc, prepare, event, summary) => {
    prepare();
    const outcome = await remediate(event);

    expect(outcome.outcome).toBe('nothing to do');
    expect(outcome.summary).toContain(summary);
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

    expect(third).toMatchObject({ outcome: 'left alone' });
    expect(third.summary).toContain('policy-missing at web was mended 2 times within a day');
    expect(aws.started).toBe(2);
    expect(outcomes().at(-1)).toBe('left alone');
  });

  test('is let go after a day', async () => {
    await remediate(drift('web', 'policy-missing'));
    await undoneAgain('policy-missing');
    aws.now += 24 * 3_600_000;

    expect((await undoneAgain('policy-missing')).outcome).toBe('mended');
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

    expect(outcome.outcome).toBe('goes on');
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

  test('nobody waits for ever', async () => {
    aws.executions.set('run-other', { status: 'InProgress' });
    turnOf('run-other');
    aws.onSleep = undefined;
    const detail = { loadBalancer: 'web', kinds: ['policy-missing'], hop: 24 };

    await expect(remediate({ 'detail-type': 'proxyflip remediation goes on', detail }, 120_000)).rejects.toThrow(
      'ERR_OUT_OF_TIME',
    );
  });
});

test('an event that is none of these is refused by name', async () => {
  await expect(remediate({ 'detail-type': 'something else', detail: {} })).rejects.toThrow('ERR_INVALID_INPUT');
});
