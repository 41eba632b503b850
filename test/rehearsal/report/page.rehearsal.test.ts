/** The report as a browser shows it, at the sizes of a phone, a tablet and a screen. */
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { renderHtml } from '../../../rehearsal/report/html.ts';
import type { RehearsalResult } from '../../../rehearsal/report/result.ts';
import { launchBrowser } from '../../browser.ts';
import { aCostlyResult, aResult, seconds } from './results.ts';

const ORDERS = [aResult(), aCostlyResult('elb-first'), aCostlyResult('nginx-first')];
const IN_TROUBLE = aResult({
  seconds: seconds(60, (second) => (second % 7 === 0 ? { reset: 20, timeout: 10, 'status-5xx': 5, tls: 1 } : {})),
  examples: Array.from({ length: 20 }, (_, index) => `${index}: ${'a-word-without-an-end-'.repeat(12)}`),
});
const PAGES: readonly (readonly [string, readonly RehearsalResult[]])[] = [
  ['three orders', ORDERS],
  ['a run in trouble', [IN_TROUBLE]],
];
const SIZES = [375, 768, 1440].flatMap((width) => (['light', 'dark'] as const).map((scheme) => ({ width, scheme })));

let browser: Browser;
const problems: string[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
}, 30_000);
afterAll(() => browser?.close());

async function open(results: readonly RehearsalResult[], width: number, colorScheme: 'light' | 'dark'): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  page.on('console', (message) => problems.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => problems.push(`request: ${request.url()}`));
  const shortfalls = ['1,093 of 24,000 new connections failed: 560 reset, 350 timed out'];
  await page.setContent(renderHtml(results.map((result) => ({ result, shortfalls }))));
  for (const details of await page.locator('details').all())
    await details.evaluate((each) => each.setAttribute('open', ''));
  return page;
}

describe.each(PAGES)('of %s', (_name, results) => {
  test.each(SIZES)(
    'at $width pixels, $scheme: nothing is cut off, fetched or hard to read',
    async ({ width, scheme }) => {
      const page = await open(results, width, scheme);
      const scrollWidth = await page.evaluate('document.documentElement.scrollWidth');
      const { violations } = await new AxeBuilder({ page }).analyze();
      await page.context().close();

      expect(scrollWidth).toBe(width);
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
      expect(problems).toEqual([]);
    },
    30_000,
  );
});

test('its figures are those of the results', async () => {
  const page = await open(ORDERS, 1440, 'light');
  const rows = await page.locator('table').first().locator('tbody tr').all();
  const cells = await Promise.all(rows.map((row) => row.locator('th, td').allTextContents()));
  await page.context().close();
  const figure = (at: number): number[] =>
    (cells[at]?.slice(1) ?? []).map((text) => Number(text.replace(/,| ?\(.*/g, '')));
  const rowOf = (name: string, after = 0): number =>
    cells.findIndex(([head], index) => index >= after && head === name);

  const newConnections = rowOf('new connections');
  const webSockets = rowOf('WebSockets');
  expect({
    sent: figure(newConnections),
    failed: figure(newConnections + 1),
    keepAliveFailed: figure(rowOf('keep-alive requests') + 1),
    opened: figure(webSockets),
    dropped: figure(webSockets + 1),
    wrong: figure(rowOf('… wrong')),
  }).toEqual({
    sent: ORDERS.map((each) => each.newConnections.sent),
    failed: ORDERS.map((each) => each.newConnections.failed),
    keepAliveFailed: ORDERS.map((each) => each.keepAlive.failed),
    opened: ORDERS.map((each) => each.webSockets.opened),
    dropped: ORDERS.map((each) => each.webSockets.dropped),
    wrong: ORDERS.map((each) => each.clientAddress.wrong),
  });
}, 30_000);
