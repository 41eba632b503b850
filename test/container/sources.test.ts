/** What is said twice about the container, in its program, its Dockerfile, its compose file and its page, is said in the same way. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { told } from '../../container/whoami/told.ts';
import { composeService, serviceArguments } from '../../rehearsal/containers/compose.ts';
import { ROOT } from '../../rehearsal/paths.ts';
import { bare, tableOf } from '../docs/markdown.ts';

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const PROGRAM = read('container/entrypoint.sh');
const DOCKERFILE = read('container/Dockerfile');
const PAGE = read('docs/container.md');

/** name → default, as the program has them. */
const SETTINGS = new Map(
  [...PROGRAM.matchAll(/^ {2}setting (\w+) (\S+) /gm)].map(([, name = '', fallback = '']) => [
    name,
    fallback.replace(/^'(.*)'$|^"\$(.*)"$/, '$1$2'),
  ]),
);

describe('the environment', () => {
  const rows = tableOf(PAGE, 'Environment');

  test('stands on the page as the program reads it, in its order', () => {
    expect(SETTINGS.size).toBe(9);
    expect(rows.map(([name = '']) => bare(name)).sort()).toEqual([...SETTINGS.keys()].sort());
  });

  test('has the defaults that the page tells of', () => {
    const written = (name: string): string => {
      const fallback = SETTINGS.get(name) ?? '';
      if (fallback !== '') return `\`${fallback}\``;
      return name === 'TRUSTED_CIDRS' ? '*empty*' : '*needed*';
    };
    expect(rows.map(([name = '', , fallback]) => [name, fallback])).toEqual(
      rows.map(([name = '']) => [name, written(bare(name))]),
    );
  });

  test('of the compose file and of the Dockerfile is one that the program reads', async () => {
    const { environment } = await composeService('receiver');
    const inDockerfile = [...DOCKERFILE.matchAll(/\b([A-Z_]+)=\d+/g)].map(([, name = '']) => name);
    const named = [...Object.keys(environment as object), ...inDockerfile].filter(
      (name) => name !== 'SOURCE_DATE_EPOCH',
    );

    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !SETTINGS.has(name))).toEqual([]);
  });
});

describe('the Dockerfiles', () => {
  test.each(['container/Dockerfile', 'container/whoami/Dockerfile'])(
    '%s copies what is there, past its ignore file',
    (file) => {
      const copied = [...read(file).matchAll(/^COPY (?:--\S+ )?(.+) \S+$/gm)].flatMap(([, files = '']) =>
        files.split(' '),
      );
      const allowed = read(`${file}.dockerignore`).match(/(?<=^!).+/gm) ?? [];

      expect(copied.length).toBeGreaterThan(0);
      // What is below dist/ is built.
      expect(copied.filter((each) => !each.startsWith('dist/') && !existsSync(path.join(ROOT, each)))).toEqual([]);
      expect(copied.filter((each) => !allowed.some((start) => each.startsWith(start)))).toEqual([]);
    },
  );

  test('take everything of the program that the program reads', () => {
    const taken = [...PROGRAM.matchAll(/"\$SOURCES"\/(container\/[\w.]+)/g)];
    const files = [...new Set(taken.map(([, file = '']) => file))];

    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((file) => !DOCKERFILE.includes(file))).toEqual([]);
  });

  test('are of the release that npm run image makes a base of', () => {
    const [, release] = /const RELEASE = '(\w+)'/.exec(read('tools/image.mjs')) ?? [];
    for (const file of ['container/Dockerfile', 'container/whoami/Dockerfile']) {
      expect(read(file)).toContain(`ARG BASE=debian:${release}-slim`);
    }
  });
});

describe('the compose file, played by podman', () => {
  test('the receiver is locked down, and may bind low ports', async () => {
    const args = serviceArguments(await composeService('receiver'), { volumes: { receiver: '/volume' } });

    expect(args).toEqual(
      expect.arrayContaining([
        '--env=LISTEN_ON=81',
        '--read-only',
        '--cap-drop=ALL',
        '--cap-add=NET_BIND_SERVICE',
        '--tmpfs=/tmp',
        '--volume=/volume:/run/proxyflip',
        '--stop-timeout=60',
      ]),
    );
  });

  test('a value of the rehearsal stands in the place of the file’s', () => {
    expect(serviceArguments({ environment: { A: '1', B: '2' } }, { environment: { B: '3' } })).toEqual([
      '--env=A=1',
      '--env=B=3',
    ]);
  });

  test('a key that is not known is refused, not passed over', () => {
    expect(() => serviceArguments({ privileged: true }, {})).toThrow('the key privileged');
  });

  test('a service that is not there is refused', async () => {
    await expect(composeService('nobody')).rejects.toThrow('no service nobody');
  });
});

describe('what the application says', () => {
  test.each([
    [
      'an address that is believed',
      { 'x-real-ip': '198.51.100.7', 'x-client-address-trust': 'yes', 'x-forwarded-proto': 'https' },
      { address: '198.51.100.7', trusted: true, scheme: 'https' },
    ],
    ['nobody', { 'x-client-address-trust': 'no' }, { address: null, trusted: false, scheme: null }],
    ['nothing at all', {}, { address: null, trusted: false, scheme: null }],
  ])('%s', (_, headers, expected) => {
    expect(told(headers)).toEqual({ ...expected, headers });
  });
});
