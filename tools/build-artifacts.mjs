/**
 * What goes into the bucket, under names that say what is in it: a template that names another archive is another template, so an update
 * brings the new code. With a fixed key CloudFormation would see no change.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const MANIFEST = 'dist/artifacts.json';
const TEMPLATES = 'dist/cloudformation';
/** As the sources of the templates name an artifact. */
const NAME = /\b(sha256:)?((?:functions|chat-artifact)\/[a-z0-9_-]+\.(?:zip|tar\.gz))/g;

const sha256 = (content) => createHash('sha256').update(content).digest('hex');

/**
 * Write `dist/artifacts.json` and put the names into the built templates: `functions/load-balancer.zip` becomes
 * `functions/load-balancer-<sha256>.zip`, and `sha256:functions/load-balancer.zip` the sum itself.
 *
 * @param functions  names of the functions that are built
 * @param chat       what buildChatArtifacts answers
 * @returns the manifest: a list of `{ name, key, file, sha256, bytes }`; `key` without the bucket's prefix, `file` from the root
 */
export function nameArtifacts(functions, chat) {
  const artifacts = [
    ...['licenses.txt', 'sbom.cdx.json', ...functions.map((name) => `functions/${name}.zip`)].map(builtArtifact),
    ...chat.map(({ architecture, file, sha256: sum, bytes }) => ({
      name: `chat-artifact/chat-${architecture}.tar.gz`,
      key: `chat-artifact/chat-${architecture}-${sum}.tar.gz`,
      file: `dist/chat-artifact/${file}`,
      sha256: sum,
      bytes,
    })),
  ];
  for (const template of readdirSync(TEMPLATES)) {
    const file = path.join(TEMPLATES, template);
    writeFileSync(file, withNames(readFileSync(file, 'utf8'), artifacts));
  }
  writeFileSync(MANIFEST, `${JSON.stringify(artifacts, null, 2)}\n`);
  return artifacts;
}

function builtArtifact(name) {
  const file = `dist/${name}`;
  const content = readFileSync(file);
  const sum = sha256(content);
  // Before the ending: functions/load-balancer-<sha256>.zip, sbom-<sha256>.cdx.json
  return { name, key: name.replace('.', `-${sum}.`), file, sha256: sum, bytes: content.length };
}

/** @throws Error  the template names something that is not built */
export function withNames(template, artifacts) {
  return template.replace(NAME, (match, sum, name) => {
    const artifact = artifacts.find((each) => each.name === name);
    if (artifact !== undefined) return sum === undefined ? artifact.key : artifact.sha256;
    // An architecture whose Node.js is not installed: npm run package installs it. CloudFormation refuses what cannot be fetched.
    if (name.startsWith('chat-artifact/')) return match;
    throw new Error(`a template names ${name}, which the build does not make`);
  });
}
