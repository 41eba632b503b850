import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { ConfigError, readConfig, SETTINGS, type Setting } from '../../chat/config.ts';

describe('readConfig', () => {
  test('an empty environment gives the documented defaults', () => {
    const config = readConfig({});
    for (const [key, setting] of Object.entries(SETTINGS) as [keyof typeof SETTINGS, Setting][]) {
      expect([key, config[key]]).toEqual([key, key === 'instance' ? hostname() : setting.default]);
    }
  });

  test.each([
    ['CHAT_HTTP_PORT', '65536', 'CHAT_HTTP_PORT=65536 must be a whole number from 0 to 65535'],
    ['CHAT_HEARTBEAT_SECONDS', '-1', 'CHAT_HEARTBEAT_SECONDS=-1 must be a whole number from 0 to 3600'],
    ['CHAT_HEARTBEAT_SECONDS', '2.5', 'CHAT_HEARTBEAT_SECONDS=2.5 must be a whole number'],
    ['CHAT_HEARTBEAT_SECONDS', '25s', 'CHAT_HEARTBEAT_SECONDS=25s must be a whole number'],
    ['CHAT_MESSAGE_BYTES', '0', 'CHAT_MESSAGE_BYTES=0 must be a whole number from 1 to'],
    ['CHAT_MESSAGE_BYTES', '1e3', 'CHAT_MESSAGE_BYTES=1e3 must be a whole number'],
    ['CHAT_METRICS', 'yes', 'CHAT_METRICS=yes must be one of local, public, off'],
    ['CHAT_ALLOWED_ORIGINS', 'chat.example.com', 'chat.example.com must be an origin such as https://'],
    ['CHAT_ALLOWED_ORIGINS', 'https://a.example,https://b.example/x', 'https://b.example/x must be an origin'],
    ['CHAT_REDIS_URL', 'localhost:6379', 'CHAT_REDIS_URL must begin with redis:// or rediss://'],
    ['CHAT_MESAGE_BYTES', '100', 'CHAT_MESAGE_BYTES is not a setting of the chat service'],
  ])('%s=%s stops the start and is named', (name, value, message) => {
    expect(() => readConfig({ [name]: value })).toThrow(ConfigError);
    expect(() => readConfig({ [name]: value })).toThrow(message);
  });

  test('everything that is wrong is said at once', () => {
    expect(() => readConfig({ CHAT_HTTP_PORT: 'x', CHAT_METRICS: 'y' })).toThrow(/CHAT_HTTP_PORT.*\n.*CHAT_METRICS/);
  });

  test('a Redis address that is wrong is not repeated: it may hold a password', () => {
    expect(() => readConfig({ CHAT_REDIS_URL: 'http://:secret@redis' })).toThrow(/^(?!.*secret)/s);
  });

  test('variables that are set but empty, as unit files have them, count as not set', () => {
    expect(readConfig({ CHAT_HTTP_PORT: '', CHAT_REDIS_URL: '' })).toEqual(readConfig({}));
  });

  test("systemd's state directory is used where none is named", () => {
    expect(readConfig({ STATE_DIRECTORY: '/var/lib/a' }).stateDirectory).toBe('/var/lib/a');
    expect(readConfig({ STATE_DIRECTORY: '/var/lib/a', CHAT_STATE_DIRECTORY: '/b' }).stateDirectory).toBe('/b');
  });
});

const row = (setting: Setting): string => {
  const cells = {
    number: (each: Setting & { kind: 'number' }) => [each.unit, String(each.default), each.zero ?? 'refused'],
    text: (each: Setting & { kind: 'text' }) => ['text', each.default || '(empty)', `empty: ${each.empty}`],
    list: (each: Setting & { kind: 'list' }) => ['list', '(empty)', `empty: ${each.empty}`],
    choice: (each: Setting & { kind: 'choice' }) => [each.choices.join(', '), each.default, '–'],
  }[setting.kind](setting as never);
  return `| \`${setting.name}\` | ${cells.join(' | ')} | ${setting.meaning} |`;
};

test('the table in chat/README.md is the one in the code', async () => {
  const readme = await readFile('chat/README.md', 'utf8');
  const documented = readme.split('\n').filter((line) => line.startsWith('| `CHAT_'));
  expect(documented).toEqual(Object.values(SETTINGS).map(row));
});

test('chat/README.md lists every refusal, message and metric there is', async () => {
  const readme = await readFile('chat/README.md', 'utf8');
  const { REFUSALS } = await import('../../chat/protocol.ts');
  const { createMetrics } = await import('../../chat/metrics.ts');
  const own = createMetrics()
    .registry.getMetricsAsArray()
    .map(({ name }) => name)
    .filter((name) => name.startsWith('chat_'));
  const missing = [...Object.keys(REFUSALS), ...own].filter((name) => !readme.includes(`| \`${name}\` |`));
  expect(own.length).toBeGreaterThan(5);
  expect(missing).toEqual([]);
});
