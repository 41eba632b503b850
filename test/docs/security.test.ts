/** docs/security.md says which test tries each threat; and what must never stand in anything that is shipped. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { ROOT, readPage, sections } from './markdown.ts';

const tried = (
  sections(readPage('docs/security.md')).find(({ title }) => title === 'What attacks it in the tests')?.text ?? ''
)
  .split('\n')
  .flatMap((line) => {
    const [, threat = '', file = '', name = ''] = /^\| (.+?) \| `(test\/[^`]+)`: (.+?) \|$/.exec(line) ?? [];
    return file === '' ? [] : [{ threat, file, name }];
  });

test('the threats of the issue are on the page, each with its test', () => {
  expect(tried.length).toBeGreaterThan(15);
});

test.each(tried)('$threat: the test is there, by this name', ({ file, name }) => {
  expect(existsSync(path.join(ROOT, file))).toBe(true);
  const source = readFileSync(path.join(ROOT, file), 'utf8').replaceAll("\\'", "'");

  expect(source).toContain(name);
});

test('no document, template or bundle holds a key', () => {
  const shipped = ['ssm-documents', 'cloudformation', 'nginx', 'functions', 'chat', 'container', 'beanstalk', 'deploy'];
  const files = shipped
    .flatMap((directory) =>
      readdirSync(path.join(ROOT, directory), { recursive: true }).map((file) =>
        path.join(ROOT, directory, String(file)),
      ),
    )
    .filter((file) => statSync(file).isFile());
  // An access key of AWS, a private key, a presigned address, a password in an address.
  const secret =
    /\b(AKIA|ASIA)[A-Z0-9]{16}\b|BEGIN [A-Z ]*PRIVATE KEY|X-Amz-Signature=[0-9a-f]{16}|:\/\/[^\s/:@$]+:[^\s/@$]+@/;

  const found = files.filter((file) => secret.test(readFileSync(file, 'utf8')));

  expect(files.length).toBeGreaterThan(150);
  expect(found).toEqual([]);
});
