import { describe, expect, test } from '@jest/globals';
import type { Case } from '../../../rehearsal/faults/case.ts';
import { faultsPage } from '../../../rehearsal/faults/page.ts';

const each = (given: Partial<Case>): Case => ({
  part: 'calls',
  fault: '500',
  where: 'Begin ssm:GetParameter',
  direction: 'enable',
  ended: 'Success',
  said: '',
  next: '',
  wrong: [],
  ...given,
});

const run = (cases: readonly Case[], command = 'npm run rehearse -- faults') => ({
  startedAt: '2026-11-21T12:00:00.000Z',
  durationMs: 600_000,
  command,
  cases,
});
const page = (cases: readonly Case[]) => faultsPage([run(cases)]);

describe('a cell', () => {
  test.each([
    { desc: 'both ways survived', cases: [each({}), each({ direction: 'disable' })], cell: '`= =`' },
    { desc: 'ended by the next run', cases: [each({ ended: 'Failed', next: 'Success' })], cell: '`> ·`' },
    { desc: 'short', cases: [each({ wrong: ['the fault did not fire'] })], cell: '`! ·`' },
    { desc: 'only on the way off', cases: [each({ direction: 'disable' })], cell: '`· =`' },
  ])('$desc: $cell', ({ cases, cell }) => {
    expect(page(cases)).toContain(`| Begin ssm:GetParameter | ${cell} |`);
  });
});

test('the page says by which command and when, and counts by part', () => {
  const text = page([each({}), each({ fault: 'timeout' }), each({ part: 'instances', where: 'AcceptBoth' })]);

  expect(text).toContain('Written by `npm run rehearse -- faults` on 2026-11-21 (10 min); not by hand');
  expect(text).toContain('| calls | 1 | 2 | 2 |');
  expect(text).toContain('| all | | | 3 |');
  expect(text).toContain('**None falls short**');
});

test('runs of parts stand on one page, each with its command', () => {
  const text = faultsPage([run([each({})], 'one'), run([each({ part: 'instances', where: 'AcceptBoth' })], 'two')]);

  expect(text).toContain('`one` on 2026-11-21 (10 min), `two` on 2026-11-21 (10 min)');
  expect(text).toContain('| all | | | 2 |');
  expect(text).toContain('## instances');
});

test('what two runs have met counts as the later one has, whatever their order', () => {
  const short = each({ wrong: ['the fault did not fire'] });
  const earlier = run([short, each({ ...short, fault: 'timeout' }), each({ fault: 'timeout' })], 'one');
  const later = { ...run([each({})], 'two'), startedAt: '2026-11-21T13:00:00.000Z' };

  const text = faultsPage([later, earlier]);

  expect(text).toContain('`one` on 2026-11-21 (10 min), `two` on');
  expect(text).toContain('**1 fall short:**');
  expect(text).toContain('| Begin ssm:GetParameter | `! ·` | `= ·` |');
  expect(text).toContain('| all | | | 3 |');
});

test('a run that was interrupted says so', () => {
  expect(faultsPage([{ ...run([each({})]), isInterrupted: true }])).toContain('(10 min, interrupted)');
});

test('what falls short is named, and nothing is said to be well', () => {
  const text = page([each({ wrong: ['m0 in proxy while 10.0.101.21 sends plain to 80'] })]);

  expect(text).toContain('**1 fall short:**');
  expect(text).toContain('enable, Begin ssm:GetParameter: Success – m0 in proxy');
  expect(text).not.toContain('None falls short');
});
