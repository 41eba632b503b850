import { describe, expect, test } from '@jest/globals';
import {
  judge,
  type Kind,
  type Measurement,
  type Probe,
  pauseSeconds,
  type Question,
  readMeasurement,
  type Seen,
} from '../../../functions/load-balancer/judge.ts';

const A = '10.0.101.21';
const B = '10.0.102.21';
const OWN = '10.0.1.11';

const seen = (source: string, kind: Kind, ageSeconds: number, port = 80): Seen => ({
  port,
  source,
  kind,
  count: 7,
  ageSeconds,
});
const instance = (seenHere: readonly Seen[], given: Partial<Measurement> = {}): Measurement => ({
  instanceId: 'i-1',
  uptimeSeconds: 1000,
  own: [OWN],
  seen: seenHere,
  omitted: 0,
  probes: [],
  ...given,
});
const question = (measurements: readonly Measurement[], given: Partial<Question> = {}): Question => ({
  wanted: new Map([[80, 'proxy' as const]]),
  nodes: [A],
  measurements,
  unmeasured: [],
  quietSeconds: 30,
  plainAnyway: new Set<number>(),
  followedSeconds: 0,
  elapsedSeconds: 60,
  boundSeconds: 600,
  unmeasuredNode: 'Assume',
  ...given,
});

describe('within the bound', () => {
  test.each([
    {
      desc: 'the node sent the new kind, the old is long quiet',
      q: question([instance([seen(A, 'plain', 40), seen(A, 'proxy', 1)])]),
      is: 'final',
    },
    { desc: 'the old kind never came', q: question([instance([seen(A, 'proxy', 500)])]), is: 'final' },
    {
      desc: 'the old kind came within the quiet spell',
      q: question([instance([seen(A, 'plain', 29.9), seen(A, 'proxy', 1)])]),
      is: 'wait',
    },
    {
      desc: 'the old kind is exactly the quiet spell old',
      q: question([instance([seen(A, 'plain', 30), seen(A, 'proxy', 1)])]),
      is: 'final',
    },
    {
      desc: 'the node’s last was of the old kind, however old',
      q: question([instance([seen(A, 'plain', 100), seen(A, 'proxy', 200)])]),
      is: 'wait',
    },
    { desc: 'nothing came from the node', q: question([instance([])]), is: 'wait' },
    { desc: 'one of two nodes', q: question([instance([seen(A, 'proxy', 1)])], { nodes: [A, B] }), is: 'wait' },
    {
      desc: 'two nodes, each seen by another instance',
      q: question([instance([seen(A, 'proxy', 1)]), instance([seen(B, 'proxy', 1)], { instanceId: 'i-2' })], {
        nodes: [A, B],
      }),
      is: 'final',
    },
    {
      desc: 'one of two instance ports',
      q: question([instance([seen(A, 'proxy', 1)])], {
        wanted: new Map([
          [80, 'proxy' as const],
          [81, 'proxy' as const],
        ]),
      }),
      is: 'wait',
    },
    {
      desc: 'a stranger of the old kind',
      q: question([instance([seen(A, 'proxy', 1), seen('10.9.9.9', 'plain', 3)])]),
      is: 'wait',
    },
    {
      desc: 'the instance’s own test does not count',
      q: question([instance([seen(A, 'proxy', 1), seen(OWN, 'plain', 0)])]),
      is: 'final',
    },
    {
      desc: 'another instance’s address does',
      q: question([instance([seen(A, 'proxy', 1), seen('10.0.1.12', 'plain', 0)])]),
      is: 'wait',
    },
    {
      desc: 'a port that is not switched does not count',
      q: question([instance([seen(A, 'proxy', 1), seen(A, 'plain', 1, 22)])]),
      is: 'final',
    },
    {
      desc: 'HAProxy is younger than the quiet spell',
      q: question([instance([seen(A, 'proxy', 1)], { uptimeSeconds: 29 })]),
      is: 'wait',
    },
    {
      desc: 'HAProxy is exactly as old as the quiet spell',
      q: question([instance([seen(A, 'proxy', 1)], { uptimeSeconds: 30 })]),
      is: 'final',
    },
    {
      desc: 'an instance that did not answer',
      q: question([instance([seen(A, 'proxy', 1)])], { unmeasured: [{ instanceId: 'i-2', why: 'TimedOut' }] }),
      is: 'wait',
    },
    {
      desc: 'left-out entries may be within the quiet spell',
      q: question([instance([seen(A, 'proxy', 1)], { omitted: 3 })]),
      is: 'wait',
    },
    {
      desc: 'left-out entries are older than what was kept',
      q: question([instance([seen(A, 'proxy', 1), seen(B, 'proxy', 30)], { omitted: 3 })]),
      is: 'final',
    },
    { desc: 'no node is known', q: question([instance([])], { nodes: [] }), is: 'wait' },
    {
      desc: 'disable: the mirror',
      q: question([instance([seen(A, 'proxy', 40), seen(A, 'plain', 1)])], {
        wanted: new Map([[80, 'plain' as const]]),
      }),
      is: 'final',
    },
    {
      desc: 'disable: the policy is still seen',
      q: question([instance([seen(A, 'proxy', 2), seen(A, 'plain', 1)])], {
        wanted: new Map([[80, 'plain' as const]]),
      }),
      is: 'wait',
    },
    {
      desc: 'no instance at all: nobody can be cut off, and no node can be seen',
      q: question([], { nodes: [A] }),
      is: 'wait',
    },
  ])('$desc: $is', ({ q, is }) => {
    expect(judge(q).verdict).toBe(is);
  });
});

describe('what is said of it', () => {
  const two = new Map([
    [80, 'proxy' as const],
    [81, 'proxy' as const],
  ]);

  test('all that stands against an end, the youngest first, and for which nodes it waits', () => {
    const measurements = [
      instance([seen(A, 'proxy', 1), seen(A, 'plain', 5), seen('10.9.9.9', 'plain', 12)], { uptimeSeconds: 29.4 }),
      instance([seen('10.9.9.9', 'plain', 3.04), seen('10.9.9.9', 'plain', 7, 81)], { instanceId: 'i-2', omitted: 3 }),
    ];
    const unmeasured = [{ instanceId: 'i-3', why: 'TimedOut' }];

    expect(judge(question(measurements, { wanted: two, nodes: [A, B], unmeasured }))).toStrictEqual({
      verdict: 'wait',
      measured:
        '1 of 4 pairs of node and instance port seen to send the new kind, on 2 instances; the old kind is still seen',
      assumed: '',
      remaining:
        'not a node: 10.9.9.9 sent 14 plain connections to instance port 80, the last 3.0 s ago; node 10.0.101.21 sent 7 plain connections to instance port 80, the last 5.0 s ago; not a node: 10.9.9.9 sent 7 plain connections to instance port 81, the last 7.0 s ago; i-3 could not be measured: TimedOut; HAProxy on i-1 started 29 s ago and knows nothing from before; i-2 saw 3 more sources than its answer holds, all within 30 s; no connection of the new kind yet, later than the old: node 10.0.101.21 on instance port 81, node 10.0.102.21 on instance port 80, node 10.0.102.21 on instance port 81 (60 of 600 s)',
    });
  });

  test.each([
    {
      desc: 'an end: what was seen, and nothing else',
      q: question([instance([seen(A, 'proxy', 1), seen(B, 'proxy', 2)])], { nodes: [A, B] }),
      is: {
        verdict: 'final',
        measured:
          '2 of 2 pairs of node and instance port seen to send the new kind, on 1 instances; nothing of the old kind for 30 s',
        assumed: '',
        remaining: '',
      },
    },
    {
      desc: 'only a stranger is in the way: no node is waited for',
      q: question([instance([seen(A, 'proxy', 1), seen('10.9.9.9', 'plain', 3)])], { elapsedSeconds: 60.4 }),
      is: {
        verdict: 'wait',
        measured:
          '1 of 1 pairs of node and instance port seen to send the new kind, on 1 instances; the old kind is still seen',
        assumed: '',
        remaining:
          'not a node: 10.9.9.9 sent 7 plain connections to instance port 80, the last 3.0 s ago (60 of 600 s)',
      },
    },
    {
      desc: 'nodes that nobody knows, after the bound',
      q: question([instance([])], { nodes: [], elapsedSeconds: 600.4, unmeasuredNode: 'StayBoth' }),
      is: {
        verdict: 'both',
        measured:
          '0 of 0 pairs of node and instance port seen to send the new kind, on 1 instances; nothing of the old kind for 30 s',
        assumed: '',
        remaining: 'nothing came from it in 600 s: the addresses of the load balancer’s nodes are not known',
      },
    },
    {
      desc: 'a node that is believed, after the bound',
      q: question([instance([seen(A, 'proxy', 1)])], { nodes: [A, B], elapsedSeconds: 600 }),
      is: {
        verdict: 'final',
        measured:
          '1 of 2 pairs of node and instance port seen to send the new kind, on 1 instances; nothing of the old kind for 30 s',
        assumed: 'has the policy, though nothing came from it in 600 s: node 10.0.102.21 on instance port 80',
        remaining: '',
      },
    },
    {
      desc: 'two reasons to stay, after the bound',
      q: question([instance([seen(A, 'proxy', 1), seen('10.9.9.9', 'plain', 3)])], {
        elapsedSeconds: 600,
        unmeasured: [{ instanceId: 'i-2', why: 'TimedOut' }],
      }),
      is: {
        verdict: 'both',
        measured:
          '1 of 1 pairs of node and instance port seen to send the new kind, on 1 instances; the old kind is still seen',
        assumed: '',
        remaining:
          'not a node: 10.9.9.9 sent 7 plain connections to instance port 80, the last 3.0 s ago; i-2 could not be measured: TimedOut',
      },
    },
  ])('$desc', ({ q, is }) => {
    expect(judge(q)).toStrictEqual(is);
  });
});

describe('after the bound', () => {
  const over = { elapsedSeconds: 600 };

  test('a node that nothing came from is believed, and called assumed by address and port', () => {
    const is = judge(question([instance([seen(A, 'proxy', 1)])], { ...over, nodes: [A, B] }));
    expect(is.verdict).toBe('final');
    expect(is.assumed).toMatch(/nothing came from it in 600 s: node 10\.0\.102\.21 on instance port 80/);
  });

  test('or holds both, where it is not to be believed', () => {
    const is = judge(
      question([instance([seen(A, 'proxy', 1)])], { ...over, nodes: [A, B], unmeasuredNode: 'StayBoth' }),
    );
    expect(is).toMatchObject({ verdict: 'both', assumed: '' });
    expect(is.remaining).toContain('10.0.102.21');
  });

  test('a stranger of the old kind keeps both, and is named with its count summed over the instances', () => {
    const stranger = seen('10.9.9.9', 'plain', 3);
    const is = judge(
      question([instance([seen(A, 'proxy', 1), stranger]), instance([stranger], { instanceId: 'i-2' })], over),
    );
    expect(is.verdict).toBe('both');
    expect(is.remaining).toBe('not a node: 10.9.9.9 sent 14 plain connections to instance port 80, the last 3.0 s ago');
  });

  test('a node that still sends the old kind keeps both, also where silent nodes are believed', () => {
    expect(judge(question([instance([seen(A, 'plain', 1)])], over)).verdict).toBe('both');
  });

  test('an instance that never answered keeps both', () => {
    const is = judge(
      question([instance([seen(A, 'proxy', 1)])], {
        ...over,
        unmeasured: [{ instanceId: 'i-2', why: 'TimedOut: agent away' }],
      }),
    );
    expect(is).toMatchObject({ verdict: 'both', remaining: 'i-2 could not be measured: TimedOut: agent away' });
  });

  test('what was measured is not called assumed', () => {
    expect(judge(question([instance([seen(A, 'proxy', 1)])], over))).toMatchObject({
      verdict: 'final',
      assumed: '',
      remaining: '',
    });
  });
});

describe('readMeasurement', () => {
  const listeners = [
    { node: A, instancePort: 80 },
    { node: A, instancePort: 81 },
    { node: B, instancePort: 80 },
    { node: B, instancePort: 81 },
  ];
  test('reads the receiver’s answer as it is written', () => {
    expect(
      readMeasurement(
        'i-1',
        JSON.parse(
          '{"mode":"both","uptime":143,"own":["10.0.1.11"],"seen":[["80","10.0.101.21","plain",12,34.1]],"probes":"012-"}',
        ),
        listeners,
      ),
    ).toEqual({
      instanceId: 'i-1',
      uptimeSeconds: 143,
      own: ['10.0.1.11'],
      seen: [{ port: 80, source: '10.0.101.21', kind: 'plain', count: 12, ageSeconds: 34.1 }],
      omitted: 0,
      probes: [
        { node: A, port: 80, kinds: ['plain'] },
        { node: A, port: 81, kinds: ['proxy'] },
        { node: B, port: 80, kinds: ['plain', 'proxy'] },
      ],
    });
  });
  const whole = { uptime: 1, own: [], seen: [['80', A, 'plain', 1, 1]], omitted: 0, probes: '----' };
  test.each([
    ['no answer', undefined],
    ['an answer of another operation', { mode: 'both' }],
    ['no uptime', { ...whole, uptime: undefined }],
    ['addresses that are no list', { ...whole, own: OWN }],
    ['sources that are no list', { ...whole, seen: {} }],
    ['a count of the omitted that is a text', { ...whole, omitted: '3' }],
  ])('%s is no measurement', (_desc, answer) => {
    expect(readMeasurement('i-1', answer, listeners)).toStrictEqual({
      instanceId: 'i-1',
      why: 'its answer is not a measurement',
    });
  });
  test.each([
    ['none', undefined],
    ['of other listeners than were given', '00'],
  ])('probes, %s, are missing by their number', (_desc, probes) => {
    expect(readMeasurement('i-1', { ...whole, probes }, listeners)).toStrictEqual({
      instanceId: 'i-1',
      why: 'its answer has not the 4 probes that it was asked for',
    });
  });
  test.each<[string, unknown]>([
    ['that is no list', 80],
    ['cut short', ['80', A]],
    ['of a port that is none', ['http', A, 'plain', 1, 1]],
    ['of a source that is no text', ['80', 7, 'plain', 1, 1]],
    ['of an unknown kind', ['80', A, 'other', 1, 1]],
    ['with a count that is a text', ['80', A, 'plain', '1', 1]],
    ['with an age that is a text', ['80', A, 'plain', 1, '1']],
  ])('an entry %s cannot be read, and spoils the answer', (_desc, entry) => {
    expect(readMeasurement('i-1', { ...whole, seen: [...whole.seen, entry] }, listeners)).toStrictEqual({
      instanceId: 'i-1',
      why: 'its answer holds an entry that cannot be read',
    });
  });
});

test.each([
  [1, 2],
  [180, 2],
  [900, 10],
  [99_999, 200],
])(
  'a bound of %i s is gone through in pauses of %i s: within 100 rounds, and a Lambda step’s 300 s',
  (bound, pause) => {
    expect(pauseSeconds(bound)).toBe(pause);
  },
);

describe('PROXY lines that clients write themselves, through nodes that write none any more', () => {
  const off = new Map([[80, 'plain' as const]]);
  const both = [seen(A, 'plain', 2), seen(A, 'proxy', 1)];
  const probed = (kinds: readonly Kind[], node = A, port = 80): Probe => ({ node, port, kinds });
  const followed = [probed(['plain', 'plain', 'plain'])];
  test.each([
    { desc: 'all probes came without a line, for the quiet spell', q: { followedSeconds: 30 }, is: 'final' },
    { desc: 'for less', q: { followedSeconds: 29.9 }, is: 'wait' },
    { desc: 'nothing is to be assumed', q: { followedSeconds: 30, unmeasuredNode: 'StayBoth' as const }, is: 'wait' },
    {
      desc: 'the lines come from something that is no node',
      q: { followedSeconds: 30, seen: [...both, seen('10.0.9.9', 'proxy', 1)] },
      is: 'wait',
    },
    {
      // What came without a line may have been the load balancer’s own health check, or a listener that speaks HTTP.
      desc: 'connections without a line came, and no probe was answered',
      q: { followedSeconds: 30, probes: [] },
      is: 'wait',
    },
    {
      desc: 'one probe of many came with a line: a part of the node has not followed',
      q: { followedSeconds: 30, probes: [probed(['plain', 'plain', 'proxy'])] },
      is: 'wait',
    },
    {
      desc: 'a probe by another instance came with a line',
      q: { followedSeconds: 30, probes: [...followed, probed(['proxy'])] },
      is: 'wait',
    },
    { desc: 'another node was not probed', q: { followedSeconds: 30, nodes: [A, B] }, is: 'wait' },
    {
      desc: 'another port was not probed',
      q: {
        followedSeconds: 30,
        wanted: new Map([...off, [81, 'plain' as const]]),
        seen: [...both, seen(A, 'plain', 1, 81)],
      },
      is: 'wait',
    },
    {
      desc: 'it is connections without a line that are too many: those no client can make',
      q: { followedSeconds: 30, wanted: new Map([[80, 'proxy' as const]]) },
      is: 'wait',
    },
  ])('$desc: $is', ({ q: { seen: given = both, probes = followed, ...rest }, is }) => {
    const { verdict, assumed } = judge(question([instance(given, { probes })], { wanted: off, ...rest }));
    expect(verdict).toBe(is);
    expect(assumed).toBe(
      is === 'final'
        ? 'PROXY lines that still come are clients’ own (7 from 10.0.101.21 to instance port 80), since every request of the instances’ own through every node has come without one for 30 s'
        : '',
    );
  });

  test('the lines of each node are told, and a port that keeps the policy needs no probe', () => {
    const lines = [seen(A, 'proxy', 2), seen(B, 'proxy', 1), seen(A, 'proxy', 1, 81), seen(B, 'proxy', 1, 81)];
    const probes = [...followed, probed(['plain'], B)];
    const wanted = new Map([...off, [81, 'proxy' as const]]);

    expect(
      judge(question([instance(lines, { probes })], { wanted, nodes: [A, B], followedSeconds: 30.4 })),
    ).toStrictEqual({
      verdict: 'final',
      measured:
        '4 of 4 pairs of node and instance port seen to send the new kind, on 1 instances; nothing of the old kind for 30 s',
      assumed:
        'PROXY lines that still come are clients’ own (7 from 10.0.102.21 to instance port 80, 7 from 10.0.101.21 to instance port 80), since every request of the instances’ own through every node has come without one for 30 s',
      remaining: '',
    });
  });

  test('after the bound they are told beside a port that is believed to keep the policy', () => {
    const wanted = new Map([...off, [81, 'proxy' as const]]);
    const { verdict, assumed } = judge(
      question([instance(both, { probes: followed })], { wanted, followedSeconds: 30, elapsedSeconds: 600 }),
    );

    expect(verdict).toBe('final');
    expect(assumed).toBe(
      'has the policy, though nothing came from it in 600 s: node 10.0.101.21 on instance port 81; PROXY lines that still come are clients’ own (7 from 10.0.101.21 to instance port 80), since every request of the instances’ own through every node has come without one for 30 s',
    );
  });

  test('at the bound they keep both where the probes do not show whose they are', () => {
    const { verdict, remaining } = judge(question([instance(both)], { wanted: off, elapsedSeconds: 600 }));
    expect(verdict).toBe('both');
    expect(remaining).toContain('node 10.0.101.21 sent 7 proxy connections');
  });
});

describe('a port to which the load balancer sends its own connections without a line, as HTTP health checks do', () => {
  const off = { wanted: new Map([[80, 'plain' as const]]), plainAnyway: new Set([80]) };
  const check = [seen(A, 'plain', 1)];
  test('is not proven by them', () => {
    expect(judge(question([instance(check)], off)).verdict).toBe('wait');
  });
  test('is with the policy by what came with a line: that is no check', () => {
    const on = { plainAnyway: new Set([80]) };
    expect(judge(question([instance([seen(A, 'proxy', 1)])], on)).verdict).toBe('final');
  });
  test('is by a probe', () => {
    const probes = [{ node: A, port: 80, kinds: ['plain' as const] }];
    expect(judge(question([instance(check, { probes })], off)).verdict).toBe('final');
  });
});
