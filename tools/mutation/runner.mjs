/**
 * Stryker's test runner for the tests of functions/: they are loaded once and run in this process, so that a mutant costs milliseconds.
 *
 * Rejected: @stryker-mutator/jest-runner, which builds an environment for each mutant and loads the SDK in it: a second each, six thousand times. What
 * those tests use of jest is `expect`, which is the same package here, and describe, test and test.each, which are below. A test that uses more fails
 * in the first run, without a mutant.
 *
 * https://stryker-mutator.io/docs/stryker-js/guides/create-a-plugin/
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import {
  DryRunStatus,
  determineHitLimitReached,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';
import { build } from 'esbuild';
import { expect } from 'expect';
import { collectTests } from './collect-tests.mjs';

/** What no test here needs: a mutant that waits for ever is one that is seen. Unit: milliseconds. */
const TEST_LIMIT_MS = 5_000;

/** Its clients are the SDK's own over a socket, with seconds of waiting; another test puts a double in their place, in the same process. */
const LEFT_OUT = 'shared/clients.test.ts';

/** What the first run took, for the processes that come after it, in the sandbox: most mutants are seen by a test of a millisecond, if it goes first. */
const TIMES = 'test-times.json';

/** Stryker's own, in which instrumented code counts: see its instrumenter. */
globalThis.__stryker__ ??= {};
const context = globalThis.__stryker__;

class FunctionsTestRunner {
  #bundles = [];
  #tests = [];
  #times = {};

  capabilities() {
    return { reloadEnvironment: true };
  }

  /** In Stryker's sandbox, which is the working directory: with the mutants in the sources. */
  async init() {
    const directory = path.resolve('test/functions');
    const files = (await readdir(directory, { recursive: true }))
      .filter((file) => file.endsWith('.test.ts') && file !== LEFT_OUT)
      .sort();
    const { outputFiles } = await build({
      entryPoints: files.map((file) => path.join(directory, file)),
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      write: false,
      outbase: directory,
      outdir: directory,
      logLevel: 'error',
    });
    this.#bundles = outputFiles.map(({ path: file, text }) => ({ file: path.relative('.', file), text }));
    if (existsSync(TIMES)) this.#times = JSON.parse(readFileSync(TIMES, 'utf8'));
    // A mutant may leave a promise behind that nobody looks at; what the test makes of it is what counts.
    process.on('unhandledRejection', () => {});
  }

  async dryRun({ coverageAnalysis }) {
    context.activeMutant = undefined;
    context.mutantCoverage = coverageAnalysis === 'off' ? undefined : { static: {}, perTest: {} };
    this.#load();
    const results = await this.#run(this.#tests, { bail: false });
    this.#times = Object.fromEntries(results.map(({ id, timeSpentMs }) => [id, timeSpentMs]));
    writeFileSync(TIMES, JSON.stringify(this.#times));
    return { status: DryRunStatus.Complete, tests: results, mutantCoverage: context.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, mutantActivation, reloadEnvironment, disableBail }) {
    context.mutantCoverage = undefined;
    context.hitLimit = hitLimit;
    context.hitCount = hitLimit === undefined ? undefined : 0;
    context.activeMutant = mutantActivation === 'static' ? activeMutant.id : undefined;
    let results;
    try {
      if (reloadEnvironment || this.#tests.length === 0) this.#load();
      context.activeMutant = activeMutant.id;
      const wanted = testFilter && new Set(testFilter);
      const tests = this.#tests
        .filter(({ id }) => wanted?.has(id) ?? true)
        .sort((left, right) => this.#times[left.id] - this.#times[right.id]);
      results = await this.#run(tests, { bail: !disableBail });
    } catch (error) {
      // Sources that do not even load are no longer the product.
      results = [
        { id: 'load', name: 'load', status: TestStatus.Failed, failureMessage: String(error), timeSpentMs: 0 },
      ];
    } finally {
      // What was loaded with a mutant in it must not serve the next.
      if (reloadEnvironment) this.#tests = [];
    }
    const limitReached = determineHitLimitReached(context.hitCount, context.hitLimit);
    return toMutantRunResult(limitReached ?? { status: DryRunStatus.Complete, tests: results });
  }

  #load() {
    this.#tests = this.#bundles.flatMap(({ file, text }) =>
      collectTests(file, (jestGlobals) => {
        const requireNative = createRequire(path.resolve(file));
        const load = vm.runInThisContext(`(function (require, module, exports) {${text}\n})`, { filename: file });
        const module = { exports: {} };
        load(
          (name) => (name === '@jest/globals' ? { ...jestGlobals, expect } : requireNative(name)),
          module,
          module.exports,
        );
      }),
    );
  }

  async #run(tests, { bail }) {
    const results = [];
    for (const { id, name, run } of tests) {
      context.currentTestId = id;
      const startMs = performance.now();
      const failure = await within(TEST_LIMIT_MS, run).then(
        () => undefined,
        (error) => String(error?.stack ?? error),
      );
      const timeSpentMs = performance.now() - startMs;
      const outcome =
        failure === undefined ? { status: TestStatus.Success } : { status: TestStatus.Failed, failureMessage: failure };
      results.push({ id, name, timeSpentMs, ...outcome });
      if (failure !== undefined && bail) break;
    }
    context.currentTestId = undefined;
    return results;
  }
}

async function within(limitMs, run) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it has not ended after ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([run(), limit]);
  } finally {
    clearTimeout(timer);
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'functions', FunctionsTestRunner)];
