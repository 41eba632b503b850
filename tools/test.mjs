#!/usr/bin/env node
/**
 * Run the tests: unit and rehearsal, or those of one kind (CONTRIBUTING.md has the table).
 *
 *   node tools/test.mjs [unit|rehearsal|long] [jest's own arguments, such as a path]
 *
 * Rehearsal tests run one file at a time: each starts machines and puts a load on them, and two at once would measure
 * each other. Jest needs --experimental-vm-modules to load the sources as the ES modules that they are.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const KINDS = ['unit', 'rehearsal', 'long'];
/** What `npm test` runs, in under 15 minutes on two cores. */
const DEFAULT_KINDS = ['unit', 'rehearsal'];
const root = fileURLToPath(new URL('..', import.meta.url));
const named = KINDS.filter((kind) => kind === process.argv[2]);
const jestArguments = process.argv.slice(named.length === 0 ? 2 : 3);

function node(args) {
  const env = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env }).status ?? 1;
}

function jest(kind, outputFile) {
  return node([
    '--experimental-vm-modules',
    '--no-warnings=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    // Before --selectProjects, which takes every word that follows it for a project's name.
    ...jestArguments,
    ...(kind === 'unit' ? [] : ['--runInBand']),
    // For one that hangs. Jest's 5 s is less than a machine takes that has other work; and in a project's settings it is not read.
    '--testTimeout=60000',
    '--json',
    `--outputFile=${outputFile}`,
    '--selectProjects',
    kind,
  ]);
}

const results = mkdtempSync(path.join(tmpdir(), 'proxyflip-test-'));
const total = { passed: 0, failed: 0 };
let status = 0;
for (const kind of named.length === 0 ? DEFAULT_KINDS : named) {
  const outputFile = path.join(results, `${kind}.json`);
  status = jest(kind, outputFile) || status;
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(outputFile, 'utf8'));
    total.passed += numPassedTests;
    // A file that cannot be loaded has no test that could fail.
    total.failed += numFailedTests || numFailedTestSuites;
  } catch {
    total.failed += 1;
  }
}
rmSync(results, { recursive: true });
console.log(`${total.passed} passed, ${total.failed} failed`);
// Finding no test at all is a failure, too.
process.exit(status || (total.passed === 0 ? 1 : 0));
