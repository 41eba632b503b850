import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readArtifacts, readTemplate } from '../../deploy/artifacts.ts';

const CHAT = ['chat-artifact/chat-arm64.tar.gz', 'chat-artifact/chat-x86_64.tar.gz'];

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pf-deploy-'));
  mkdirSync(path.join(root, 'dist/cloudformation'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

function built(names: readonly string[], bytes = 3): void {
  const artifacts = names.map((name, index) => {
    const file = `dist/${index}`;
    writeFileSync(path.join(root, file), 'abc');
    return { name, key: name, file, sha256: '', bytes };
  });
  writeFileSync(path.join(root, 'dist/artifacts.json'), JSON.stringify(artifacts));
}

describe('what is built', () => {
  test('is read where all of it is there', () => {
    built([...CHAT, 'functions/a.zip']);
    expect(readArtifacts(root).map(({ name }) => name)).toEqual([...CHAT, 'functions/a.zip']);
  });

  test('is not there at all', () => {
    expect(() => readArtifacts(root)).toThrow(/^ERR_NOT_BUILT: .*artifacts\.json cannot be read\. Use npm run package/);
  });

  test('lacks the archive of an architecture that this machine is not of', () => {
    built(CHAT.slice(1));
    expect(() => readArtifacts(root)).toThrow('ERR_NOT_BUILT: chat-artifact/chat-arm64.tar.gz is not built');
  });

  test('is half of a file', () => {
    built(CHAT, 4);
    expect(() => readArtifacts(root)).toThrow('ERR_NOT_BUILT: dist/0, dist/1 is not built');
  });
});

describe('a template', () => {
  test('is found by its name', () => {
    writeFileSync(path.join(root, 'dist/cloudformation/a.yaml'), 'Resources: {}\n');
    expect(readTemplate(root, 'a')).toBe('Resources: {}\n');
  });

  test('that is not there is named', () => {
    expect(() => readTemplate(root, 'b')).toThrow('ERR_NO_TEMPLATE: there is no template "b"');
  });
});
