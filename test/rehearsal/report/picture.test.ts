import { describe, expect, test } from '@jest/globals';
import { renderPicture } from '../../../rehearsal/report/picture.ts';
import { aCostlyResult, aResult, seconds } from './results.ts';

describe('the picture', () => {
  test('is an image by itself: nothing runs, nothing is loaded, and it says what it shows', () => {
    const picture = renderPicture([aResult(), aCostlyResult('elb-first')]);

    expect(picture).not.toMatch(/<script|href=|src=|url\((?!#)|@import|foreignObject/);
    expect(picture).toMatch(
      /<title id="title">.*Runbook, 0 of 26,400 requests failed, 0 of 60 WebSockets dropped; Load/,
    );
    expect(picture).toContain('prefers-color-scheme: dark');
  });

  test('has all runs on one scale of time, and short ones beside each other', () => {
    const [half, quarter] = [30_000, 12_000].map((durationMs) =>
      aResult({ durationMs, seconds: seconds(durationMs / 1000, () => ({})) }),
    );
    const titles = [
      ...renderPicture([aResult(), half, quarter].flatMap((each) => each ?? [])).matchAll(
        /class="title" x="([\d.]+)" y="([\d.]+)"/g,
      ),
    ].map(([, x, y]) => [Number(x), Number(y)]);

    expect(titles.map(([x]) => x)).toEqual([20, 20, expect.any(Number)]);
    expect(titles[2]?.[0]).toBeGreaterThan(500);
    expect(titles[1]?.[1]).toBe(titles[2]?.[1]);
    expect(titles[1]?.[1]).toBeGreaterThan(titles[0]?.[1] ?? 0);
  });

  test('draws nothing beyond its edge', () => {
    const picture = renderPicture([aResult(), aCostlyResult('elb-first'), aCostlyResult('nginx-first')]);
    const ends = [...picture.matchAll(/<rect [^>]*x="([\d.]+)"[^>]* width="([\d.]+)"/g)].map(
      ([, x, width]) => Number(x) + Number(width),
    );

    expect(ends.length).toBeGreaterThan(20);
    expect(Math.max(...ends)).toBeLessThanOrEqual(960);
  });

  test('says what kinds of failures there were, in the colours of the bars', () => {
    expect(renderPicture([aCostlyResult('elb-first')])).toContain(
      '<tspan class="failure status-400">■</tspan> answered 400',
    );
  });

  test('of nothing is an error', () => {
    expect(() => renderPicture([])).toThrow(RangeError);
  });
});
