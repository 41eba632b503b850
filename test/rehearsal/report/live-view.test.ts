import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { type LiveSnapshot, liveView, render } from '../../../rehearsal/report/live-view.ts';
import { wrap } from '../../../rehearsal/report/terminal.ts';
import { requests } from './results.ts';
import { aSnapshot, aTrafficSnapshot } from './snapshots.ts';

const SIZES: readonly (readonly [number, number])[] = [
  [80, 24],
  [120, 40],
];

const picture = (snapshot: LiveSnapshot, [columns, rows] = SIZES[0] as readonly [number, number]) =>
  render(snapshot, { columns, rows, colour: false });

const failing = aTrafficSnapshot({
  newConnections: requests(9_000, { 'status-400': 2_800, reset: 200 }),
  generator: { ...aTrafficSnapshot().generator, capReached: 3 },
});
const crowd = aSnapshot({
  nodes: Array.from({ length: 12 }, (_, index) => ({
    address: `10.0.101.${index + 21}`,
    isInDns: index !== 0,
    ports: [80, 443, 8080].map((instancePort) => ({ instancePort, policy: 'clearing' as const })),
  })),
  instances: Array.from({ length: 30 }, (_, index) => ({
    name: `machine-${index}`,
    address: `10.0.1.${index + 11}`,
    mode: 'away' as const,
    isInService: false,
  })),
  events: Array.from({ length: 40 }, (_, index) => ({
    atMs: index * 1000,
    resource: `Resource${index}`,
    status: 'CREATE_FAILED',
    reason: 'Resource handler returned message: the runbook ended in Failed, because of something long',
  })),
  traffic: failing,
});
const { runbook: _, traffic: __, ...bare } = aSnapshot({ events: [] });

describe('the live picture', () => {
  describe.each(SIZES)('in %d columns and %d rows', (columns, rows) => {
    test.each([
      ['of an ordinary moment', aSnapshot()],
      ['of a crowd in trouble', crowd],
      ['before anything has begun', bare],
    ])('%s fits', (_name, snapshot) => {
      const lines = picture(snapshot, [columns, rows]).split('\n');

      expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(columns);
      // One line is the cursor's.
      expect(lines.length).toBeLessThanOrEqual(rows - 1);
    });

    test('shows each part of the path with its state', () => {
      const text = picture(aSnapshot(), [columns, rows]);

      expect(text).toMatch(/10\.0\.101\.21 +80 ● .*443 ●/);
      expect(text).toMatch(/10\.0\.102\.21 +80 ◔ .*443 ○/);
      expect(text).toMatch(/10\.0\.1\.12 +◐ both/);
      expect(text).toContain('24 addresses');
      expect(text).toContain('▶ MeasureLoop');
      expect(text).toContain('waits for: plain connections from 10.0.102.21');
      expect(text).toMatch(/ProxyProtocol +CREATE_IN_PROGRESS/);
    });
  });

  test('shows the phases below the seconds that they were in', () => {
    expect(picture(aSnapshot())).toMatch(/^phase {23}○{9}›{6}◐{16}$/m);
  });

  test('shows the other orders’ disagreement as what it is', () => {
    const { history } = aSnapshot();
    const phases = history.phases.map((_phase, second) => (second < 20 ? 'plain' : 'sides disagree'));

    expect(picture(aSnapshot({ history: { ...history, phases } }))).toMatch(/^phase {23}○{20}×{11}$/m);
  });

  test('shows what each node and instance was, where there is room', () => {
    const tall = picture(aSnapshot(), SIZES[1]);

    expect(tall).toMatch(/^10\.0\.101\.21:80 {14}○{20}●{11}$/m);
    expect(tall).toMatch(/^machine-2 {19}○{14}◐{17}$/m);
    expect(picture(aSnapshot())).not.toMatch(/^machine-2/m);
  });

  test('on a busy machine, too, where looks come late', () => {
    const { history } = aSnapshot();
    const late = { ...history, atMs: history.atMs.map((atMs) => atMs * 2) };

    expect(picture(aSnapshot({ history: late }), SIZES[1])).toMatch(/^10\.0\.101\.21:80 {14}○{10}●{21}$/m);
  });

  test('says what there is no room for', () => {
    expect(picture(crowd)).toMatch(/and \d+ more.*and \d+ more/);
  });

  test('says failures in words', () => {
    const text = picture(aSnapshot({ traffic: failing }));

    expect(text).toContain('3,000 failed');
    expect(text).toContain('failed: 2,800 answered 400, 200 reset');
    expect(text).toContain('too many connections in flight');
  });

  test('has colours only where it is asked to', () => {
    const coloured = render(aSnapshot({ traffic: failing }), { columns: 80, rows: 24, colour: true });

    expect(picture(aSnapshot({ traffic: failing }))).not.toContain('\u001b');
    expect(coloured).toContain('\u001b[31m3,000 failed\u001b[39m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is the escape codes that are looked for
    expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(picture(aSnapshot({ traffic: failing })));
  });
});

test('a text is wrapped at blanks, and what is left over is shown', () => {
  expect(wrap('one two three', 7, 2)).toEqual(['one two', 'three']);
  expect(wrap('one two three four', 7, 2)).toEqual(['one two', 'three …']);
  expect(wrap('incomprehensible', 7, 2)).toEqual(['incomprehensible']);
});

describe('where nothing can be drawn over', () => {
  test('a line is written when something changes, and now and then', () => {
    const stream = new PassThrough();
    const view = liveView(stream as unknown as NodeJS.WriteStream, { isInteractive: false, lineEveryMs: 10_000 });
    const at = (elapsedMs: number, more: Partial<LiveSnapshot> = {}) =>
      view.update(aSnapshot({ elapsedMs, events: [], ...more }));

    at(1_000);
    at(2_000);
    at(3_000, { phase: 'proxy' });
    at(4_000, { phase: 'proxy', traffic: failing });
    at(5_000, { phase: 'proxy', traffic: failing });
    at(14_000, { phase: 'proxy', traffic: failing });
    view.done();

    const lines = String(stream.read()).trimEnd().split('\n');
    expect(lines.map((line) => line.slice(0, 5))).toEqual(['00:01', '00:03', '00:04', '00:14']);
    expect(lines[2]).toContain('9,000 new connections, 3,000 failed');
  });

  test('of the events of a resource since the last look only the newest is written', () => {
    const stream = new PassThrough();
    const view = liveView(stream as unknown as NodeJS.WriteStream, { isInteractive: false });
    const events = ['CREATE_IN_PROGRESS', 'CREATE_IN_PROGRESS', 'CREATE_COMPLETE'].map((status, index) => ({
      atMs: 1_000 + index,
      resource: 'Document',
      status,
    }));

    view.update(aSnapshot({ events: events.slice(0, 1) }));
    view.update(aSnapshot({ events }));

    const written = String(stream.read()).match(/Document +\S+/g);
    expect(written).toEqual(['Document  CREATE_IN_PROGRESS', 'Document  CREATE_COMPLETE']);
  });

  test("each of the stack's events is written once", () => {
    const stream = new PassThrough();
    const view = liveView(stream as unknown as NodeJS.WriteStream, { isInteractive: false });

    view.update(aSnapshot());
    view.update(aSnapshot());

    expect(String(stream.read()).match(/SwitchDocument/g)).toHaveLength(1);
  });
});
