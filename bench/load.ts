/**
 * How long Lambda takes to load the custom resource, against the same handler as others bundle and frame it: with cfn-response and
 * esbuild's defaults; and behind the provider framework of the AWS CDK, which is a function of its own in front of the handler's.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { bundleFunction } from '../tools/build-functions.mjs';

const PEERS = 'bench/load-peers';
const OUT = 'dist/bench/load';
const ROUNDS = 21;
const NODE24 = path.resolve(`tools/node24/node_modules/node-linux-${process.arch}/bin/node`);

const HANDLER = `export { handler } from './functions/proxy-protocol/index.ts';`;
/** As the samples of cfn-response have it. */
const SAMPLE = `
import * as response from 'cfn-response';
import { handler as answer } from './functions/proxy-protocol/index.ts';
export const handler = async (event, context) => {
  try {
    response.send(event, context, response.SUCCESS, await answer(event, context));
  } catch (error) {
    response.send(event, context, response.FAILED, { error: String(error) });
  }
};`;
const FRAMEWORK = `export * from 'aws-cdk-lib/custom-resources/lib/provider-framework/runtime/framework';`;

/** As \`esbuild --bundle --platform=node\` does without another word. @returns the file */
async function bundleByDefault(name: string, contents: string): Promise<string> {
  const outfile = path.join(OUT, `${name}.cjs`);
  await build({
    stdin: { contents, resolveDir: '.' },
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    nodePaths: [path.resolve(PEERS, 'node_modules')],
    // A file inside of the package, which its exports do not offer.
    alias: { 'aws-cdk-lib/custom-resources': path.resolve(PEERS, 'node_modules/aws-cdk-lib/custom-resources') },
    logLevel: 'error',
  });
  return outfile;
}

/** Of a process of its own, as each of Lambda's environments is one. Unit: milliseconds. */
function loadMs(file: string): number {
  const script = `const begun = performance.now(); require(process.argv[1]); console.log(performance.now() - begun);`;
  const { stdout, stderr, status } = spawnSync(NODE24, ['-e', script, path.resolve(file)], {
    encoding: 'utf8',
    env: { AWS_REGION: 'eu-central-1', SWITCH_DOCUMENT: 'x' },
  });
  if (status !== 0) throw new Error(`${file} cannot be loaded: ${stderr}`);
  return Number(stdout);
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

mkdirSync(OUT, { recursive: true });
const ours = path.join(OUT, 'ours.cjs');
writeFileSync(ours, (await bundleFunction('proxy-protocol')).code);
const bundles = {
  ours: { file: ours, times: [] as number[] },
  sample: { file: await bundleByDefault('sample', SAMPLE), times: [] as number[] },
  framework: { file: await bundleByDefault('framework', FRAMEWORK), times: [] as number[] },
  behind: { file: await bundleByDefault('behind', HANDLER), times: [] as number[] },
};
// One of each in turn, so that whatever else the machine does is shared by all.
for (let round = 0; round < ROUNDS; round++) {
  for (const bundle of Object.values(bundles)) bundle.times.push(loadMs(bundle.file));
}

const { ours: own, sample, framework, behind } = bundles;
const rows = [
  { what: 'functions/proxy-protocol as it ships', loaded: [own] },
  { what: 'the same handler with cfn-response, bundled by default', loaded: [sample] },
  { what: 'the CDK provider framework, and the same handler behind it', loaded: [framework, behind] },
].map(({ what, loaded }) => ({
  what,
  kilobytes: loaded.reduce((sum, { file }) => sum + statSync(file).size / 1024, 0),
  ms: loaded.reduce((sum, { times }) => sum + median(times), 0),
}));
const [first] = rows;
console.log(
  `${ROUNDS} loads of each, median; ${spawnSync(NODE24, ['--version'], { encoding: 'utf8' }).stdout.trim()}, ${cpus()[0]?.model}\n`,
);
for (const { what, kilobytes, ms } of rows) {
  const ratio = ms / (first?.ms ?? Number.NaN);
  console.log(
    `${what.padEnd(60)}${Math.round(kilobytes).toLocaleString('en').padStart(6)} KB${ms.toFixed(0).padStart(6)} ms${ratio.toFixed(1).padStart(6)} ×`,
  );
}
