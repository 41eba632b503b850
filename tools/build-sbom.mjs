/** What others wrote and we ship: a bill of materials (CycloneDX 1.6), and the texts of the licences, as these ask for. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Licences that ask for no more than to be named with what they are about. Any other is to be read by a person first. */
const KNOWN_LICENCES = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT', 'MIT-0'];

/**
 * Write `dist/sbom.cdx.json` and `dist/licenses.txt`. The same sources and the same lock file make the same bytes: no time, no serial number.
 *
 * @param parts  `{ name, metafile }` of each bundle, as esbuild gives it
 * @param nodes  directories of the Node.js packages that go into the chat's archives
 * @throws Error  a package whose licence is not among the known ones
 */
export function writeSbom(parts, nodes) {
  const found = new Map();
  const add = (directory, part) => found.set(directory, [...(found.get(directory) ?? []), part]);
  for (const { name, metafile } of parts) for (const directory of packageDirectories(metafile)) add(directory, name);
  for (const directory of nodes) add(directory, 'chat-artifact');

  const locked = [readLock('package-lock.json'), readLock('tools/node24/package-lock.json')];
  const packages = [...found]
    .map(([directory, usedIn]) => readPackage(directory, [...new Set(usedIn)].sort(), locked))
    .sort((a, b) => (a.purl < b.purl ? -1 : 1));
  requireKnownLicences(packages);
  const own = JSON.parse(readFileSync('package.json', 'utf8'));
  writeFileSync('dist/sbom.cdx.json', `${JSON.stringify(billOfMaterials(own, packages), null, 2)}\n`);
  writeFileSync('dist/licenses.txt', licenceTexts(packages));
}

/** Of everything that has at least a byte in the output; the rest was shaken off, and is not shipped. */
export function packageDirectories(metafile) {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const directories = inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([input]) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]);
  return [...new Set(directories.filter((directory) => directory !== undefined))].sort();
}

/** @throws Error naming each package and its licence */
export function requireKnownLicences(packages) {
  const unknown = packages.filter(({ license }) => !KNOWN_LICENCES.includes(license));
  if (unknown.length === 0) return;
  const named = unknown.map(({ name, version, license }) => `${name} ${version}: ${license ?? 'none'}`).join(', ');
  throw new Error(
    `${named}. Nobody has read whether we may ship that; if we may, it goes into KNOWN_LICENCES of tools/build-sbom.mjs.`,
  );
}

function readLock(file) {
  return { directory: path.dirname(file), packages: JSON.parse(readFileSync(file, 'utf8')).packages };
}

function readPackage(directory, usedIn, locks) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8'));
  const textFile = readdirSync(directory).find((file) => /^licen[cs]e(\.|$)/i.test(file));
  const integrity = locks
    .map((lock) => lock.packages[path.relative(lock.directory, directory)] ?? lock.packages[`node_modules/${name}`])
    .find((entry) => entry?.version === version)?.integrity;
  return {
    name,
    version,
    license,
    usedIn,
    // https://github.com/package-url/purl-spec/blob/main/types-doc/npm-definition.md: the @ of a scope is encoded.
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    sha512: integrity?.startsWith('sha512-') ? Buffer.from(integrity.slice(7), 'base64').toString('hex') : undefined,
    text: textFile === undefined ? '' : readFileSync(path.join(directory, textFile), 'utf8').trim(),
  };
}

/** https://cyclonedx.org/docs/1.6/json/ */
function billOfMaterials(own, packages) {
  const ref = `pkg:npm/${own.name}@${own.version}`;
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': ref,
        name: own.name,
        version: own.version,
        description: own.description,
        licenses: [{ license: { id: own.license } }],
        purl: ref,
      },
    },
    components: packages.map(({ name, version, license, usedIn, purl, sha512 }) => {
      const [group, plain] = name.startsWith('@') ? name.split('/') : [undefined, name];
      return {
        type: 'library',
        'bom-ref': purl,
        ...(group === undefined ? {} : { group }),
        name: plain,
        version,
        ...(sha512 === undefined ? {} : { hashes: [{ alg: 'SHA-512', content: sha512 }] }),
        licenses: [{ license: { id: license } }],
        purl,
        properties: usedIn.map((value) => ({ name: 'proxyflip:in', value })),
      };
    }),
    dependencies: [{ ref, dependsOn: packages.map(({ purl }) => purl) }],
  };
}

/** Each text once, behind the packages that it is of. */
function licenceTexts(packages) {
  const byText = new Map();
  for (const each of packages) byText.set(each.text, [...(byText.get(each.text) ?? []), each]);
  const sections = [...byText].map(
    ([text, named]) =>
      `${named.map(({ name, version, license }) => `${name} ${version} (${license})`).join('\n')}\n\n${text || 'The package brings no text of its licence.'}\n`,
  );
  return sections.join(`\n${'-'.repeat(80)}\n\n`);
}
