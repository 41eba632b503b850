/** What every page promises: that its commands exist, that its links lead somewhere, that it holds on any machine. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { anchorOf, checkedCommands, commandBlocks, pages, ROOT, readPage, sections } from './markdown.ts';

const PAGES = pages();

test('there are pages', () => {
  expect(PAGES).toContain('README.md');
  expect(PAGES.length).toBeGreaterThan(15);
});

test('every npm command of a page is a script of package.json', () => {
  const scripts = Object.keys((JSON.parse(readPage('package.json')) as { scripts: object }).scripts);
  const named = PAGES.flatMap((page) =>
    [...readPage(page).matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map((match) => ({
      page,
      script: match[1] ?? match[2] ?? '',
    })),
  );

  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(({ script }) => !scripts.includes(script))).toEqual([]);
});

test('every scenario that a page runs is one', () => {
  const usage = readPage('rehearsal/cli.ts');
  const named = PAGES.flatMap((page) =>
    [...readPage(page).matchAll(/npm run rehearse -- ([a-z][\w-]*)/g)].map((match) => ({ page, name: match[1] ?? '' })),
  );
  const scenarios = /const SCENARIOS[^{]*\{([^}]*)\}/.exec(usage)?.[1] ?? '';

  expect(named.length).toBeGreaterThan(3);
  expect(named.filter(({ name }) => !new RegExp(`\\b${name}\\b`).test(scenarios))).toEqual([]);
});

describe('commands', () => {
  /** Which test runs the blocks of a page that promise a last line. */
  const RUN_BY: Readonly<Record<string, string>> = {
    'README.md': 'test/docs/readme-commands.rehearsal.test.ts',
    'docs/beanstalk.md': 'test/rehearsal/beanstalk.long.test.ts',
    'docs/container.md': 'test/docs/container.long.test.ts',
    'docs/deploy.md': 'test/deploy/deploy.rehearsal.test.ts',
    'docs/drift.md': 'test/docs/readme-commands.rehearsal.test.ts',
    'docs/migrate.md': 'test/docs/migrate.long.test.ts',
    'docs/troubleshooting.md': 'test/docs/readme-commands.rehearsal.test.ts',
  };
  /** Blocks that promise none: where they are run all the same, or why nowhere. */
  const WITHOUT_A_PROMISE: Readonly<Record<string, string>> = {
    'README.md, See it in a minute: npm start': 'test/rehearsal/main-job.rehearsal.test.ts, with --once',
    'docs/assumptions.md, Asking AWS: REMOTE=1 npm run test:contract': 'asks AWS; without REMOTE=1 by npm test',
    "docs/troubleshooting.md, Troubleshooting: journalctl -u 'proxyflip-*' -u nginx; cat /etc/proxyflip/receiver.env; tail /var/log/nginx/error.log":
      'test/ssm-documents/receiver.rehearsal.test.ts, on an instance',
    'rehearsal/README.md, The rehearsal: npm start                         # the main job, with a live picture; the chat page stays up until Ctrl-C':
      'test/rehearsal, scenario by scenario',
  };

  test('of every page are run by a test, or it stands here why not', () => {
    const promised = PAGES.filter((page) => checkedCommands(readPage(page)).length > 0);
    const others = PAGES.flatMap((page) =>
      commandBlocks(readPage(page))
        .filter(({ lastLine }) => lastLine === undefined)
        .map(({ name }) => `${page}, ${name}`),
    );

    expect(promised.sort()).toEqual(Object.keys(RUN_BY).sort());
    expect(others.sort()).toEqual(Object.keys(WITHOUT_A_PROMISE).sort());
  });

  test.each(Object.entries(RUN_BY))('of %s are taken from the page by %s', (page, file) => {
    expect(readPage(file)).toContain(`'${page}'`);
  });
});

describe('links', () => {
  const links = PAGES.flatMap((page) =>
    [...readPage(page).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => ({ page, target })),
  );

  test('lead to files that exist', () => {
    const broken = links.filter(({ page, target }) => {
      const file = target.split('#')[0] ?? '';
      return file !== '' && !existsSync(path.join(ROOT, path.dirname(page), file));
    });

    expect(links.length).toBeGreaterThan(30);
    expect(broken).toEqual([]);
  });

  test('lead to headings that exist', () => {
    const withAnchor = links.filter(({ target }) => target.includes('#'));
    const broken = withAnchor.filter(({ page, target }) => {
      const [file = '', anchor = ''] = target.split('#');
      const where = file === '' ? page : path.join(path.dirname(page), file);
      return !sections(readPage(where)).some(({ title }) => anchorOf(title) === anchor);
    });

    expect(withAnchor.length).toBeGreaterThan(3);
    expect(broken).toEqual([]);
  });
});

test('no page names a path of one machine, or where packages come from', () => {
  const found = PAGES.flatMap((page) =>
    readPage(page)
      .split('\n')
      .flatMap((line, index) => {
        const isHome = /(?:^|[\s`'"(=])\/(?:home|root|work|Users|mnt|srv)\//.test(line);
        const isRegistry = /registry\.[a-z]|npmjs\.(?:org|com)\/|pypi\.org|artifactory|\/npm-proxy/i.test(line);
        return isHome || isRegistry ? [`${page}:${index + 1}: ${line}`] : [];
      }),
  );

  expect(found).toEqual([]);
});
