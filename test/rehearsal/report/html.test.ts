import { describe, expect, test } from '@jest/globals';
import { renderHtml } from '../../../rehearsal/report/html.ts';
import type { RehearsalResult } from '../../../rehearsal/report/result.ts';
import { aCostlyResult, aResult, phase, seconds } from './results.ts';

const pageOf = (...results: RehearsalResult[]): string =>
  renderHtml(results.map((result) => ({ result, shortfalls: [] })));

describe('the report', () => {
  test('is one page that loads nothing and runs nothing', () => {
    const page = pageOf(aResult(), aCostlyResult('elb-first'), aCostlyResult('nginx-first'));

    expect(page).not.toMatch(/<script|<link|src=|url\(|@import|https?:/);
  });

  test('shows every run on the same scale', () => {
    const short = aResult({ durationMs: 30_000, seconds: seconds(30, () => ({})) });
    const page = pageOf(short, aCostlyResult('elb-first'));

    const scales = [...page.matchAll(/viewBox="([^"]+)"/g)].map(([, scale]) => scale);
    expect(scales).toEqual(['0 0 60 600', '0 0 60 600']);
  });

  test('stacks the failures of a second by kind', () => {
    const page = pageOf(
      aResult({ seconds: seconds(60, (second) => (second === 20 ? { reset: 100, closed: 50 } : {})) }),
    );

    const bars = [...page.matchAll(/<rect class="failure (\w+)" x="([\d.]+)" width="0.84" y="(\d+)" height="(\d+)">/g)];
    expect(bars.map(([, ...bar]) => bar)).toEqual([
      ['reset', '20.08', '500', '100'],
      ['closed', '20.08', '450', '50'],
    ]);
    expect(page).toContain('<title>00:20: 100 reset</title>');
  });

  test('shows a single failure as something that can be seen', () => {
    const page = pageOf(aResult({ seconds: seconds(60, (second) => (second === 20 ? { reset: 1 } : {})) }));

    expect(page).toContain('y="591" height="9"><title>00:20: 1 reset</title>');
  });

  test('shows when each instance and each node changed', () => {
    const page = pageOf(aResult());

    expect(page).toContain('title="both: 00:15 to 00:37"');
    expect(page).toContain('title="PROXY: 00:21 to 01:00"');
    expect(page.match(/class="row state instance"/g)).toHaveLength(3);
    expect(page.match(/class="row state node"/g)).toHaveLength(4);
  });

  test('shows a transition as one, and no disagreement as a transition', () => {
    const phases = [phase('plain → both', 0, 20_000, { modes: ['plain', 'both'] }), phase('both', 20_000, 60_000)];

    expect(pageOf(aResult({ phases }))).toContain('background:linear-gradient(90deg,var(--plain),var(--both))');
    expect(pageOf(aCostlyResult('elb-first'))).not.toContain('linear-gradient(90deg,var');
  });

  test('takes nothing that it shows for markup', () => {
    const page = pageOf(aResult({ examples: ['<img src=x onerror=alert(1)>'], release: '"><i id=x>' }));

    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img');
    expect(page).not.toContain('<i id=x>');
  });

  test('says what fell short', () => {
    const page = renderHtml([{ result: aResult(), shortfalls: ['the stack ended in <CREATE_FAILED>'] }]);

    expect(page).toContain('<li>the stack ended in &lt;CREATE_FAILED&gt;</li>');
  });

  test('of nothing is an error', () => {
    expect(() => renderHtml([])).toThrow(RangeError);
  });
});
