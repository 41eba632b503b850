import { describe, expect, test } from '@jest/globals';
import { embeddedMetrics } from '../../../rehearsal/cloudwatch/embedded-metrics.ts';

const line = (directive: object, root: object, aws: object = { Timestamp: 1000 }) =>
  JSON.stringify({ _aws: { ...aws, CloudWatchMetrics: [directive] }, ...root });
const DIRECTIVE = { Namespace: 'proxyflip', Dimensions: [['Stack']], Metrics: [{ Name: 'Findings', Unit: 'Count' }] };

test('a metric for each set of dimensions and each value', () => {
  const directive = { ...DIRECTIVE, Dimensions: [['Stack'], ['Stack', 'LoadBalancer'], []] };
  const read = embeddedMetrics(line(directive, { Stack: 'prod', LoadBalancer: 'chat', Findings: [2, 3] }));
  const id = (dimensions: object) => ({ namespace: 'proxyflip', name: 'Findings', dimensions });
  const sample = (value: number) => ({ at: 1000, value, count: 1, unit: 'Count' });
  expect(read).toEqual({
    metrics: [{ Stack: 'prod' }, { Stack: 'prod', LoadBalancer: 'chat' }, {}].flatMap((dimensions) =>
      [2, 3].map((value) => ({ id: id(dimensions), sample: sample(value) })),
    ),
    why: [],
  });
});

describe('what gives no metric, and why', () => {
  test.each([
    ['no namespace', line({ ...DIRECTIVE, Namespace: '' }, { Stack: 'a', Findings: 1 }), 'Namespace'],
    ['a dimension that is not at the root', line(DIRECTIVE, { Findings: 1 }), 'dimension Stack'],
    ['a dimension that is a number', line(DIRECTIVE, { Stack: 1, Findings: 1 }), 'dimension Stack'],
    ['a target that is missing', line(DIRECTIVE, { Stack: 'a' }), 'metric Findings'],
    ['a target that is text', line(DIRECTIVE, { Stack: 'a', Findings: '1' }), 'metric Findings'],
    ['too many values', line(DIRECTIVE, { Stack: 'a', Findings: Array(101).fill(1) }), 'metric Findings'],
    [
      'a unit that there is not',
      line({ ...DIRECTIVE, Metrics: [{ Name: 'Findings', Unit: 'Pieces' }] }, { Stack: 'a', Findings: 1 }),
      'Unit',
    ],
    ['no timestamp', line(DIRECTIVE, { Stack: 'a', Findings: 1 }, {}), 'Timestamp'],
    [
      'dimensions that are no list of lists',
      line({ ...DIRECTIVE, Dimensions: ['Stack'] }, { Stack: 'a', Findings: 1 }),
      'set of dimensions',
    ],
  ])('%s', (_what, text, why) => {
    const read = embeddedMetrics(text);
    expect(read?.metrics).toEqual([]);
    expect(read?.why).toEqual([expect.stringContaining(why)]);
  });

  test.each([
    ['a plain line', 'START RequestId: 1'],
    ['JSON without _aws', '{"level":"info"}'],
    [
      'behind what console.log writes first',
      `2026-11-21T08:00:00Z\tid\tINFO\t${line(DIRECTIVE, { Stack: 'a', Findings: 1 })}`,
    ],
  ])('nothing at all: %s', (_what, text) => expect(embeddedMetrics(text)).toBeUndefined());
});

test('one bad target leaves the others', () => {
  const directive = { ...DIRECTIVE, Metrics: [{ Name: 'Findings' }, { Name: 'Checked' }] };
  const read = embeddedMetrics(line(directive, { Stack: 'a', Checked: 7 }));
  expect(read?.metrics.map(({ id }) => id.name)).toEqual(['Checked']);
  expect(read?.why).toHaveLength(1);
});
