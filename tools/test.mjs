#!/usr/bin/env node
/**
 * Run the tests: `npm test` runs all of them, `npm run test:unit [-- jest arguments]` those that need nothing but Node.js.
 *
 * Rehearsal tests run one file at a time: each starts machines and puts a load on them, and two at once would measure
 * each other. Jest needs --experimental-vm-modules to load the sources as the ES modules that they are.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [kind, ...rest] = process.argv.slice(2);
const kinds = kind === 'unit' || kind === 'rehearsal' ? [kind] : ['unit', 'rehearsal'];
const jestArguments = kinds.length === 1 ? rest : process.argv.slice(2);

for (const each of kinds) {
  const { status } = spawnSync(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--no-warnings=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      '--selectProjects',
      each,
      ...(each === 'rehearsal' ? ['--runInBand'] : []),
      ...jestArguments,
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' } },
  );
  if (status !== 0) process.exit(status ?? 1);
}
