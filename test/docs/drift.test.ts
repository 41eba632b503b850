/** docs/drift.md against the sources. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SEVERITIES, STATUSES } from '../../functions/drift-check/finding.ts';
import { KINDS } from '../../functions/drift-check/kinds.ts';
import { loadBalancerMetrics, runMetrics } from '../../functions/drift-check/metrics.ts';
import { suppress } from '../../functions/drift-check/suppressions.ts';
import { NOTHING } from '../../functions/drift-check/totals.ts';
import { bare, ROOT, readPage, tableOf } from './markdown.ts';

const PAGE = readPage('docs/drift.md');

describe('docs/drift.md', () => {
  test('has every kind, with the worst that it can mean and who mends it', () => {
    const rows = tableOf(PAGE, 'Kinds').map(([kind = '', worst = '', remedy]) => [bare(kind), bare(worst), remedy]);

    expect(rows.length).toBeGreaterThan(20);
    expect(rows).toEqual(Object.entries(KINDS).map(([kind, { severities, remedy }]) => [kind, severities[0], remedy]));
  });

  test('says of every kind what it is and what mends it', () => {
    expect(tableOf(PAGE, 'Kinds').filter(([, , , what = '', mend = '']) => what === '' || mend === '')).toEqual([]);
  });

  test('has the statuses and the severities, worst first', () => {
    const words = (title: string) => tableOf(PAGE, title).map(([word = '']) => bare(word));

    expect(words('Ask')).toEqual([...STATUSES]);
    expect(words('What a finding means')).toEqual([...SEVERITIES]);
  });

  test('has the metrics that a run gives', () => {
    const names = (line: string) =>
      (
        JSON.parse(line) as { _aws: { CloudWatchMetrics: { Metrics: { Name: string }[] }[] } }
      )._aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name));
    const given = [
      ...names(runMetrics(0, 'x', 0, NOTHING)),
      ...names(loadBalancerMetrics(0, 'x', { name: 'x', status: 'IN_SYNC', findings: [], suppressed: 0, why: '' })),
    ];
    const told = tableOf(PAGE, 'Be told').flatMap(([cell = '']) => cell.split(', ').map(bare));

    expect(told.sort()).toEqual(given.sort());
  });

  test('names in the dashboard and in the alarms no other metric', () => {
    const told = tableOf(PAGE, 'Be told').flatMap(([cell = '']) => cell.split(', ').map(bare));
    const template = readFileSync(path.join(ROOT, 'cloudformation/resources/drift.yaml'), 'utf8');
    const used = [
      ...template.matchAll(/"proxyflip", "(\w+)"/g),
      ...template.matchAll(/MetricName: (\w+)/g),
      ...template.matchAll(/\{proxyflip[^}]*\} MetricName=\\"(\w+)/g),
    ].map(([, name]) => name);

    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((name) => name === undefined || !told.includes(name))).toEqual([]);
  });

  test('suppresses as it says', () => {
    const [, value = ''] = /--value '([^']+)'/.exec(PAGE) ?? [];
    const draft = { kind: 'policy-foreign', where: 'port 81' } as Parameters<typeof suppress>[1][number];

    expect(suppress('chat', [draft], value, Date.parse('2027-03-01'))).toEqual({ told: [], suppressed: 1 });
  });
});
