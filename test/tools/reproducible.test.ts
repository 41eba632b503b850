/**
 * The same sources make the same bytes: built in two directories, at other times, with another umask, and each packs Node.js for itself.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const LIMIT_MS = 120_000;
/** On the file system of the checkout, so that packages can be linked instead of copied. */
const ROOMS = ['dist/reproducible/one', 'dist/reproducible/another-one'] as const;
const LINKED = ['node_modules', 'tools/node24/node_modules'];

beforeAll(() => {
  rmSync('dist/reproducible', { recursive: true, force: true });
  for (const room of ROOMS) mkdirSync(room, { recursive: true });
});

afterAll(() => rmSync('dist/reproducible', { recursive: true, force: true }));

function build(room: string, umask: string, modified: Date): unknown[] {
  const built = spawnSync('sh', ['-c', `umask ${umask}; exec "$0" tools/build.mjs`, process.execPath], {
    cwd: furnished(room, modified),
    encoding: 'utf8',
  });
  expect(built).toMatchObject({ status: 0 });
  const templates = readdirSync(path.join(room, 'dist/cloudformation'));
  return [
    ...JSON.parse(readFileSync(path.join(room, 'dist/artifacts.json'), 'utf8')),
    ...templates.map((name) => [name, readFileSync(path.join(room, 'dist/cloudformation', name), 'utf8')]),
  ];
}

/** The sources copied, the packages linked. */
function furnished(room: string, modified: Date): string {
  const listed = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' });
  for (const file of listed.stdout.split('\n').filter((each) => each !== '' && existsSync(each))) {
    cpSync(file, path.join(room, file));
    utimesSync(path.join(room, file), modified, modified);
  }
  for (const directory of LINKED.filter((each) => existsSync(each))) {
    mkdirSync(path.dirname(path.join(room, directory)), { recursive: true });
    spawnSync('cp', ['-al', directory, path.join(room, directory)], { stdio: 'inherit' });
  }
  return room;
}

test(
  'twice the same bytes',
  () => {
    const one = build(ROOMS[0], '022', new Date('2020-02-02T02:02:02Z'));
    const another = build(ROOMS[1], '077', new Date('2026-06-06T06:06:06Z'));

    expect(one).toContainEqual(expect.objectContaining({ name: 'functions/load-balancer.zip' }));
    expect(one).toContainEqual(expect.objectContaining({ name: expect.stringMatching(/^chat-artifact\/chat-/) }));
    expect(one).toContainEqual(['proxy-protocol.yaml', expect.any(String)]);
    expect(another).toEqual(one);
  },
  LIMIT_MS,
);
