#!/usr/bin/env node
/**
 * `npm run release -- minor`, or patch, major, 1.2.3: counts by npm version, gives the changelog the number and the date, keeps the built
 * templates, so that the next ones are held against them (test/cloudformation/released.test.ts), commits and tags. `--templates`
 * keeps the templates and does nothing else.
 *
 * Not by npm version's own hooks: .npmrc has ignore-scripts, and npm version goes on without them and without a word.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { assembledTemplates } from './build-documents.mjs';

const RELEASED = 'test/cloudformation/released';

const UNRELEASED = '## [Unreleased]\n';

/** @throws Error  there is nothing to tell of this release */
export function requireEntries(changelog) {
  const [, after] = changelog.split(UNRELEASED);
  if (after === undefined) throw new Error(`CHANGELOG.md has no line "${UNRELEASED.trim()}"`);
  if (!/^- /m.test(after.split(/^## /m)[0])) {
    throw new Error(`CHANGELOG.md tells nothing below "${UNRELEASED.trim()}": what does a user get?`);
  }
}

export function withRelease(changelog, version, date) {
  return changelog.replace(UNRELEASED, `${UNRELEASED}\n## [${version}] - ${date}\n`);
}

/**
 * Templates by file name, without what no resource is replaced by and nobody would read twice: the documents' contents, which are
 * new versions of the documents (UpdateMethod NewVersion).
 */
export function withoutContents(template) {
  const resources = Object.entries(template.Resources).map(([id, resource]) => {
    const { Content, ...others } = resource.Properties ?? {};
    const isDocument = resource.Type === 'AWS::SSM::Document' && Content !== undefined;
    return [id, isDocument ? { ...resource, Properties: { ...others, Content: 'as released' } } : resource];
  });
  return { ...template, Resources: Object.fromEntries(resources) };
}

function keepTemplates() {
  rmSync(RELEASED, { recursive: true, force: true });
  mkdirSync(RELEASED, { recursive: true });
  for (const [name, template] of Object.entries(assembledTemplates())) {
    const text = stringify(withoutContents(template), { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
    writeFileSync(path.join(RELEASED, name), text);
  }
}

function main([argument]) {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  if (argument === '--templates') return keepTemplates();
  if (argument === undefined || !/^(patch|minor|major|\d+\.\d+\.\d+)$/.test(argument)) {
    throw new Error('usage: npm run release -- patch | minor | major | 1.2.3');
  }
  const changed = git('status', '--porcelain');
  if (changed !== '') throw new Error(`a release is of what is committed; this is not:\n${changed}`);

  const changelog = readFileSync('CHANGELOG.md', 'utf8');
  requireEntries(changelog);

  execFileSync('npm', ['version', argument, '--no-git-tag-version', '--allow-same-version'], { stdio: 'ignore' });
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  writeFileSync('CHANGELOG.md', withRelease(changelog, version, new Date().toISOString().slice(0, 10)));
  keepTemplates();
  git('add', 'package.json', 'package-lock.json', 'CHANGELOG.md', RELEASED);
  git('commit', '--quiet', '--message', `release: ${version}`);
  git('tag', `v${version}`);
  console.log(`Released ${version}. To publish: git push --follow-tags`);
}

const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim();

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(`proxyflip: ${error.message}`);
    process.exit(1);
  }
}
