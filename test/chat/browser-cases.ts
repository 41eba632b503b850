/** What the page must do in a real browser, wherever the chat runs. */

import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../browser.ts';
import type { Stage, Way } from './stage.ts';

const SCREENSHOTS = 'dist/chat-screenshots';

type Person = { readonly page: Page; readonly way: Way; readonly context: BrowserContext };

export function browserCases(openStage: () => Promise<Stage>): void {
  jest.setTimeout(60_000);
  let stage: Stage;
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  const problems: string[] = [];

  beforeAll(async () => {
    stage = await openStage();
    browser = await launchBrowser();
    await mkdir(SCREENSHOTS, { recursive: true });
  });
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    expect(problems.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await stage?.close();
  });

  const arrive = async (
    address: string,
    room: string,
    options: Parameters<Browser['newContext']>[0] & { refuseWebSockets?: boolean } = {},
  ): Promise<Person> => {
    const way = await stage.way(address);
    way.refuseWebSockets(options.refuseWebSockets ?? false);
    const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
    contexts.push(context);
    const page = await context.newPage();
    // A refused resource or a broken Content-Security-Policy says so here; that the network is away is part of the play.
    page.on('console', (message) => {
      const isNetwork = /WebSocket connection|Failed to load resource|net::ERR/.test(message.text());
      if (message.type() === 'error' && !isNetwork) problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(`${way.url}/#${encodeURIComponent(room)}`);
    return { page, way, context };
  };
  const enter = async (name: string, ...rest: Parameters<typeof arrive>): Promise<Person> => {
    const person = await arrive(...rest);
    await person.page.getByLabel('Your name').fill(name);
    await person.page.getByRole('button', { name: 'Join', exact: true }).click();
    await person.page.getByText('Connected ·').waitFor();
    return person;
  };
  const say = async ({ page }: Person, text: string) => {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.keyboard.press('Enter');
  };
  const texts = ({ page }: Person) => page.locator('.messages .text').allTextContents();
  const sees = async (person: Person, expected: readonly string[], timeoutMs = 15_000) => {
    for (const deadline = Date.now() + timeoutMs; ; await sleep(100)) {
      const seen = await texts(person);
      if (seen.length >= expected.length || Date.now() > deadline) return expect(seen).toEqual(expected);
    }
  };
  const fact = ({ page }: Person, id: string) => page.locator(`#fact-${id}`).textContent();

  test('two people talk across two instances, and each sees their own address', async () => {
    const ann = await enter('Ann', '198.51.100.7', 'across');
    const bo = await enter('Bo', '203.0.113.9', 'across');
    // Connections go to the instances in turn, those of a page's parts too: Bo comes again until it is the other one's turn.
    for (let n = 0; n < 20 && (await fact(ann, 'instance')) === (await fact(bo, 'instance')); n += 1) {
      await bo.page.reload();
      await bo.page.getByText('Connected ·').waitFor();
    }

    await say(ann, 'hello Bo');
    await sees(bo, ['hello Bo']);
    await say(bo, 'hello Ann');
    await sees(ann, ['hello Bo', 'hello Ann']);

    expect(await fact(ann, 'instance')).not.toBe(await fact(bo, 'instance'));
    expect([await fact(ann, 'address'), await fact(bo, 'address')]).toEqual(['198.51.100.7', '203.0.113.9']);
    expect(await fact(ann, 'transport')).toBe('wss (WebSocket)');
    expect(await fact(ann, 'latency')).toMatch(/^\d+ ms$/);
    expect(await ann.page.locator('#people li').allTextContents()).toEqual(['Annyou', 'Bo']);
  });

  test('who loses the connection for 10 s misses nothing, and what was written meanwhile is sent', async () => {
    const ann = await enter('Ann', '198.51.100.7', 'cut');
    const bo = await enter('Bo', '203.0.113.9', 'cut');
    await say(ann, 'before');
    await sees(bo, ['before']);

    bo.way.cut(true);
    await bo.page.getByText('No connection.').waitFor();
    await say(bo, 'written without a connection');
    for (const n of [1, 2, 3]) await say(ann, `meanwhile ${n}`);
    await sleep(10_000);
    bo.way.cut(false);

    const all = ['before', 'meanwhile 1', 'meanwhile 2', 'meanwhile 3', 'written without a connection'];
    await sees(bo, all, 30_000);
    await sees(ann, all);
    await bo.page.getByText('Connected ·').waitFor();
    expect(await bo.page.locator('.gap').count()).toBe(0);
  });

  test('an instance is restarted and nobody misses anything', async () => {
    const ann = await enter('Ann', '198.51.100.7', 'restart');
    const bo = await enter('Bo', '203.0.113.9', 'restart');
    const expected: string[] = [];
    const speak = async () => {
      for (let n = 0; n < 40; n += 1) {
        expected.push(`${n}`);
        await say(n % 2 === 0 ? ann : bo, `${n}`);
        await sleep(100);
      }
    };

    const speaking = speak();
    await sleep(500);
    await stage.restartInstance('one');
    await stage.restartInstance('two');
    await speaking;

    await sees(
      ann,
      expected.map(() => expect.any(String) as unknown as string),
      20_000,
    );
    expect((await texts(ann)).sort()).toEqual([...expected].sort());
    expect(await texts(bo)).toEqual(await texts(ann));
  });

  test('where the WebSocket is refused, the fallback carries the conversation', async () => {
    const ann = await enter('Ann', '198.51.100.7', 'refused', { refuseWebSockets: true });
    const bo = await enter('Bo', '203.0.113.9', 'refused');

    await say(ann, 'over the fallback');
    await sees(bo, ['over the fallback']);
    await say(bo, 'heard');
    await sees(ann, ['over the fallback', 'heard']);
    await bo.page.getByLabel('Message', { exact: true }).pressSequentially('typing');
    await ann.page.getByText('is typing…').waitFor();

    expect(await fact(ann, 'transport')).toMatch(/^fallback/);
    expect(await fact(ann, 'address')).toBe('198.51.100.7');
  });

  test('markup is text, in messages, names and rooms', async () => {
    const markup = '<img src=x onerror="document.title=\'broken\'"><script>document.title="broken"</script>';
    const ann = await enter('<b>Ann</b>', '198.51.100.7', 'markup');
    const bo = await enter('Bo', '203.0.113.9', 'markup');

    await say(ann, markup);

    await sees(bo, [markup]);
    await sees(ann, [markup]);
    expect(await bo.page.locator('.messages .meta bdi').first().textContent()).toBe('<b>Ann</b>');
    expect(await bo.page.locator('.messages img, .messages script, .messages b').count()).toBe(0);
    expect(await bo.page.title()).not.toContain('broken');
  });

  test('a reload keeps name, rooms and what was not sent yet; two tabs are one person', async () => {
    const ann = await enter('Ann', '198.51.100.7', 'reload');
    await say(ann, 'kept');
    await sees(ann, ['kept']);
    ann.way.cut(true);
    await ann.page.getByText('No connection.').waitFor();
    await say(ann, 'not sent yet');
    ann.way.cut(false);
    await ann.page.reload();
    await sees(ann, ['kept', 'not sent yet']);

    const tab = await ann.context.newPage();
    await tab.goto(`${ann.way.url}/#reload`);
    await ann.page.getByText('you, 2 tabs').waitFor();
    expect(await ann.page.locator('#people li').count()).toBe(1);
  });

  test('everything can be done with the keyboard alone', async () => {
    const { page } = await arrive('198.51.100.7', 'keys');
    await page.keyboard.type('Ann');
    await page.keyboard.press('Enter');
    await page.getByText('Connected ·').waitFor();
    await page.keyboard.type('first line');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('second line');
    await page.keyboard.press('Enter');
    await page.locator('.messages .text').waitFor();
    expect(await page.locator('.messages .text').textContent()).toBe('first line\nsecond line');

    await page.getByLabel('Join another room').focus();
    await page.keyboard.type('Second Room');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'second room' }).waitFor();
    expect(await page.evaluate('document.activeElement?.id')).toBe('text');
    await page.getByRole('button', { name: 'Leave second room' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'keys' }).waitFor();
  });

  describe.each([
    { form: 'phone', viewport: { width: 390, height: 844 } },
    { form: 'desktop', viewport: { width: 1280, height: 800 } },
  ])('on a $form', ({ form, viewport }) => {
    test.each(['light', 'dark'] as const)(
      'in the %s theme nothing overflows, and axe finds nothing',
      async (colorScheme) => {
        const room = `looks-${form}-${colorScheme}`;
        const ann = await enter('Ann', '198.51.100.7', room, { viewport, colorScheme });
        const long = await enter('Wolfeschlegelsteinhausenbergerdorff', '203.0.113.9', room);
        const noor = await enter('نور', '203.0.113.10', room);
        await say(ann, 'Good morning! The deploy is through.');
        await say(long, `A word without end: ${'Donaudampfschifffahrtsgesellschaft'.repeat(6)}`);
        await say(noor, 'صباح الخير، كل شيء يعمل');
        await say(
          ann,
          'https://example.com/a/very/long/path/that/goes/on/and/on?and=has&many=parameters#and-a-fragment',
        );
        await say(ann, 'Two\nlines');
        await sees(
          ann,
          Array.from({ length: 5 }, () => expect.any(String) as unknown as string),
        );
        await long.page.getByLabel('Message', { exact: true }).pressSequentially('hm');
        await ann.page.getByText('typing…').waitFor();

        await ann.page.screenshot({ path: `${SCREENSHOTS}/${form}-${colorScheme}.png` });
        const overflow = () => ann.page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
        expect(await overflow()).toBeLessThanOrEqual(0);
        expect(
          (await new AxeBuilder({ page: ann.page }).analyze()).violations.map(({ id, nodes }) => [
            id,
            nodes.map((n) => n.html),
          ]),
        ).toEqual([]);
        if (form === 'phone') {
          await ann.page.getByRole('button', { name: 'Rooms, people and connection' }).click();
          await ann.page.screenshot({ path: `${SCREENSHOTS}/${form}-${colorScheme}-panel.png` });
          expect(await overflow()).toBeLessThanOrEqual(0);
          expect((await new AxeBuilder({ page: ann.page }).analyze()).violations.map(({ id }) => id)).toEqual([]);
        }
        const fresh = await arrive('198.51.100.8', room, { viewport, colorScheme });
        await fresh.page.screenshot({ path: `${SCREENSHOTS}/${form}-${colorScheme}-entrance.png` });
        expect((await new AxeBuilder({ page: fresh.page }).analyze()).violations.map(({ id }) => id)).toEqual([]);
      },
    );
  });
}
