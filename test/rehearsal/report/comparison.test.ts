import { describe, expect, test } from '@jest/globals';
import { comparison } from '../../../rehearsal/report/comparison.ts';
import { aCostlyResult, aResult } from './results.ts';

const text = comparison([aResult(), aCostlyResult('elb-first'), aCostlyResult('nginx-first')], { colour: false });

describe('the comparison', () => {
  test('fits a terminal of 80 columns', () => {
    const table = text.split('\n\n')[0] ?? '';
    expect(Math.max(...table.split('\n').map((line) => [...line].length))).toBeLessThanOrEqual(80);
  });

  test('has a column for each order, and every figure', () => {
    expect(text).toMatch(/^ +runbook +ELB first +nginx first$/m);
    expect(text).toMatch(/^new connections +24,000 +\S+ +\S+$/m);
    expect(text).toMatch(/^WebSockets +60 +60 +60$/m);
    expect(text).toMatch(/^stack +created +none +none$/m);
  });

  test('says in words what the others cost, and where it is logged', () => {
    expect(text).toContain('2,440 of 4,000 new connections failed, 61.0 %.');
    expect(text).toContain("not one stands in nginx's access logs");
  });
});
