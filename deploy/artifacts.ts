/** What the build has made for the bucket. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ProxyflipError } from '../functions/shared/errors.ts';

export interface Artifact {
  /** As the templates' sources call it: `functions/load-balancer.zip`. */
  readonly name: string;
  /** In the bucket, behind the prefix; holds the SHA-256 of the content. */
  readonly key: string;
  /** From the root of the checkout. */
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Both must be there: an instance of the architecture that is missing would find nothing in the bucket. */
const CHAT_ARTIFACTS = ['chat-artifact/chat-arm64.tar.gz', 'chat-artifact/chat-x86_64.tar.gz'];

/** @throws ProxyflipError ERR_NOT_BUILT  the build is missing, or is not one for packaging */
export function readArtifacts(root: string): Artifact[] {
  const artifacts = read(path.join(root, 'dist/artifacts.json'));
  const names = artifacts.map(({ name }) => name);
  const missing = [
    ...CHAT_ARTIFACTS.filter((name) => !names.includes(name)),
    ...artifacts.filter(({ file, bytes }) => !isThere(path.join(root, file), bytes)).map(({ file }) => file),
  ];
  if (missing.length > 0) throw notBuilt(`${missing.join(', ')} is not built`);
  return artifacts;
}

/** @param name  of cloudformation/<name>.yaml @throws ProxyflipError ERR_NO_TEMPLATE */
export function readTemplate(root: string, name: string): string {
  try {
    return readFileSync(path.join(root, `dist/cloudformation/${name}.yaml`), 'utf8');
  } catch {
    throw new ProxyflipError(
      'ERR_NO_TEMPLATE',
      `there is no template ${JSON.stringify(name)}; the names are those of the files in cloudformation/, without .yaml.`,
    );
  }
}

function read(manifest: string): Artifact[] {
  try {
    return JSON.parse(readFileSync(manifest, 'utf8')) as Artifact[];
  } catch {
    throw notBuilt(`${manifest} cannot be read`);
  }
}

const isThere = (file: string, bytes: number): boolean => statSync(file, { throwIfNoEntry: false })?.size === bytes;

const notBuilt = (what: string): ProxyflipError =>
  new ProxyflipError('ERR_NOT_BUILT', `${what}. Use npm run package or npm run deploy, which build first.`);
