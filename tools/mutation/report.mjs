#!/usr/bin/env node
/**
 * `npm run test:mutation`, after Stryker: its figures, by folder, go to the terminal and into docs/mutation.md, and fewer killed than were before fail.
 *
 * Killed are also mutants that never end (`Timeout`); those that no test reaches (`NoCoverage`) count as survivors.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A little under what is reached, which is not to be lost again. */
const LEAST_PERCENT = 95;
const PAGE = fileURLToPath(new URL('../../docs/mutation.md', import.meta.url));
const REPORT = fileURLToPath(new URL('../../dist/mutation/mutation.json', import.meta.url));

const KILLED = new Set(['Killed', 'Timeout', 'RuntimeError', 'CompileError']);
const ALIVE = new Set(['Survived', 'NoCoverage']);

const { files } = JSON.parse(readFileSync(REPORT, 'utf8'));
const mutants = Object.entries(files).flatMap(([file, { mutants: own }]) =>
  own.map(({ mutatorName, status }) => ({ folder: file.split('/').slice(0, -1).join('/'), mutatorName, status })),
);
const percent = (killed, all) => `${((100 * killed) / all).toFixed(1)} %`;
const counted = (own) => ({
  killed: own.filter(({ status }) => KILLED.has(status)).length,
  survived: own.filter(({ status }) => ALIVE.has(status)).length,
});

const folders = [...new Set(mutants.map(({ folder }) => folder))].sort();
const rows = [
  ...folders.map((folder) => [folder, mutants.filter((mutant) => mutant.folder === folder)]),
  ['all', mutants],
].map(([name, own]) => {
  const { killed, survived } = counted(own);
  return `| ${name === 'all' ? '**all**' : `\`${name}\``} | ${killed + survived} | ${killed} | ${survived} | ${percent(killed, killed + survived)} |`;
});
const byMutator = Object.entries(grouped(mutants))
  .map(([name, own]) => [name, counted(own)])
  .filter(([, { survived }]) => survived > 0)
  .sort(([, left], [, right]) => right.survived - left.survived)
  .map(([name, { killed, survived }]) => `| ${name} | ${survived} | ${percent(killed, killed + survived)} |`);

const figures = [
  '| folder | mutants | killed | survived | |',
  '|---|---|---|---|---|',
  ...rows,
  '',
  '| mutator | survived | killed |',
  '|---|---|---|',
  ...byMutator,
].join('\n');
console.log(figures);

const page = readFileSync(PAGE, 'utf8');
writeFileSync(
  PAGE,
  page.replace(/(<!-- figures -->\n)[\s\S]*?\n?(<!-- end -->)/, (_, begin, end) => `${begin}${figures}\n${end}`),
);

const { killed, survived } = counted(mutants);
if (mutants.length === 0 || killed < (LEAST_PERCENT / 100) * (killed + survived)) {
  console.error(
    `${percent(killed, killed + survived)} of ${killed + survived} mutants are killed; at least ${LEAST_PERCENT} % were`,
  );
  process.exitCode = 1;
}

/** By mutator. Node.js 20 has no Object.groupBy. */
function grouped(all) {
  const groups = {};
  for (const mutant of all) {
    groups[mutant.mutatorName] ??= [];
    groups[mutant.mutatorName].push(mutant);
  }
  return groups;
}
