/**
 * Who attacks an instance by what its document is given: values with shell in them, an old agent, an artifact that is another. The script as it ships, by bash,
 * with nearly no program in its path: what it would do after letting one of these pass, it cannot do here.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { shippedScript } from '../../tools/build-documents.mjs';

const directory = mkdtempSync(path.join(tmpdir(), 'attacks-'));
afterAll(() => rmSync(directory, { recursive: true }));

const programs = path.join(directory, 'programs');
spawnSync('mkdir', [programs]);
// The lock comes before the operation is looked at.
symlinkSync('/bin/true', path.join(programs, 'flock'));
/** A shell that gets to see one of the values makes this file, without a program. */
const mark = path.join(directory, 'attacked');

function run(script: string, env: Record<string, string>) {
  const { status, stderr } = spawnSync('/bin/bash', ['--norc', '-c', script], {
    env: { PATH: programs, ...env },
    encoding: 'utf8',
  });
  return { status, stderr };
}

const SETTINGS: Readonly<Record<string, string>> = {
  SSM_Operation: 'SetMode',
  SSM_Mode: 'plain',
  SSM_InstancePorts: '80=http 81=https',
  SSM_ChatArtifactUrl: 'https://example.com/chat.tar.gz',
};
const { parameters } = parse(readFileSync('ssm-documents/receiver.yml', 'utf8')) as {
  parameters: Record<string, { default?: string }>;
};
const NAMES = Object.keys(parameters).filter((name) => name !== 'Joining');
const SHELL = [
  '$(: >@)',
  '`: >@`',
  '; : >@',
  '| : >@',
  '&& : >@',
  '\n: >@\n',
  "'; : >@; '",
  '"; : >@; "',
  'x[$(: >@)]',
  '{{ssm:x}}',
  '*',
];
/** With the mark in the place of `@`. */
const marking = (shell: string): string => shell.replace('@', mark);

describe('a value with shell in it', () => {
  test('has more than a few parameters to come by', () => {
    expect(NAMES).toEqual(expect.arrayContaining(['Operation', 'InstancePorts', 'ChatArtifactUrl']));
    expect(NAMES.length).toBeGreaterThan(8);
  });

  test.each(NAMES)('is refused by the script for %s, alone and behind a right one, and no shell sees it', (name) => {
    const right = SETTINGS[`SSM_${name}`] ?? parameters[name]?.default ?? '';
    const passed = SHELL.map(marking)
      .flatMap((shell) => [shell, right + shell])
      .filter((value) => {
        const { status, stderr } = run(shippedScript('receiver.sh'), { ...SETTINGS, [`SSM_${name}`]: value });
        return status !== 1 || !stderr.startsWith('proxyflip: ERR_INVALID_PARAMETER');
      });

    expect(passed).toEqual([]);
    expect(existsSync(mark)).toBe(false);
  });

  test.each(SHELL)('is refused by the drift check’s script: %j', (value) => {
    expect(run(shippedScript('inspect.sh'), { SSM_Since: marking(value) }).stderr).toMatch(
      /^proxyflip: ERR_INVALID_PARAMETER/,
    );
    expect(existsSync(mark)).toBe(false);
  });
});

test.each(['receiver.sh', 'inspect.sh'])(
  'an agent that does not know ENV_VAR hands nothing over, and %s does nothing',
  (name) => {
    expect(run(shippedScript(name), {})).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^proxyflip: ERR_AGENT_TOO_OLD/),
    });
  },
);

describe('an artifact', () => {
  const archive = path.join(directory, 'chat.tar.gz');
  writeFileSync(path.join(directory, 'proxyflip-chat.service'), '[Service]\n');
  spawnSync('tar', ['-C', directory, '-czf', archive, 'proxyflip-chat.service']);
  const sum = createHash('sha256').update(readFileSync(archive)).digest('hex');

  /** The script's own function, on a directory of the test; it ends where units would be written. */
  function install(announced: string) {
    const chat = mkdtempSync(path.join(directory, 'opt-'));
    const functions = shippedScript('receiver.sh')
      .replace(/^readonly CHAT=.*$/m, `readonly CHAT=${chat}`)
      .replace(/^case \$\{1:-\} in$[\s\S]*/m, '');
    const { stderr } = run(
      `${functions}\nput() { exit 0; }\nCHAT_WANTED=On CHAT_ARTIFACT_URL=file://${archive} CHAT_ARTIFACT_SHA256=${announced}\ninstall_chat`,
      {
        PATH: process.env.PATH ?? '',
      },
    );
    return { stderr, unpacked: readdirSync(chat).filter((name) => name !== 'current') };
  }

  test('that is the one that was announced is unpacked', () => {
    expect(install(sum)).toEqual({ stderr: '', unpacked: [sum] });
  });

  test('that is another is not unpacked, and says so', () => {
    const { stderr, unpacked } = install(sum.replace(/./g, '0'));

    expect(stderr).toMatch(
      /^proxyflip: ERR_CHAT_ARTIFACT: .* does not have the SHA-256 that was announced; nothing of it was unpacked$/m,
    );
    expect(unpacked).toEqual([]);
  });
});

test('no virtual host says which nginx it is', () => {
  const hosts = readdirSync('nginx/vhosts').map((file) => readFileSync(path.join('nginx/vhosts', file), 'utf8'));
  const saying = hosts
    .flatMap((text) => text.split(/^server \{/m).slice(1))
    .filter((server) => !/^ *(server_tokens off;|include proxyflip\/snippets\/port\.conf;)$/m.test(server));

  expect(hosts.length).toBeGreaterThan(3);
  expect(saying).toEqual([]);
  expect(readFileSync('nginx/snippets/port.conf', 'utf8')).toContain('\nserver_tokens off;\n');
});
