#!/usr/bin/env node
/** shellcheck over every shell script of the tree; the receiver as it is built, with nginx's files inside. */
import { spawnSync } from 'node:child_process';
import { assembleScript } from './build-documents.mjs';

const listed = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.sh', '.ci/run'], {
  encoding: 'utf8',
});
const files = listed.stdout.split('\n').filter((file) => file !== '' && !file.endsWith('/receiver.sh'));
if (files.length === 0) throw new Error('no shell script was found to check');

const statuses = [
  spawnSync('shellcheck', files, { stdio: 'inherit' }).status,
  spawnSync('shellcheck', ['-'], { input: assembleScript('receiver.sh'), stdio: ['pipe', 'inherit', 'inherit'] })
    .status,
];
process.exit(statuses.every((status) => status === 0) ? 0 : 1);
