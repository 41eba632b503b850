import { hostname } from 'node:os';

/**
 * Everything that can be set, read from the environment once, at the start.
 *
 * The table below is the only place where a setting is described; `chat/README.md` repeats it and a test holds the two together.
 */
type Common = { readonly name: string; readonly meaning: string };
type NumberSetting = Common & {
  readonly kind: 'number';
  readonly unit: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** What 0 means; absent where 0 is refused. */
  readonly zero?: string;
};
type TextSetting = Common & { readonly kind: 'text'; readonly default: string; readonly empty: string };
type ListSetting = Common & { readonly kind: 'list'; readonly default: readonly string[]; readonly empty: string };
type ChoiceSetting<Choice extends string> = Common & {
  readonly kind: 'choice';
  readonly choices: readonly Choice[];
  readonly default: Choice;
};
export type Setting = NumberSetting | TextSetting | ListSetting | ChoiceSetting<string>;

const number = (name: string, options: Omit<NumberSetting, 'name' | 'kind'>): NumberSetting => ({
  name,
  kind: 'number',
  ...options,
});
const text = (name: string, fallback: string, empty: string, meaning: string): TextSetting => ({
  name,
  kind: 'text',
  default: fallback,
  empty,
  meaning,
});
const choice = <const Choice extends string>(
  name: string,
  choices: readonly Choice[],
  fallback: NoInfer<Choice>,
  meaning: string,
): ChoiceSetting<Choice> => ({ name, kind: 'choice', choices, default: fallback, meaning });

export const SETTINGS = {
  host: text(
    'CHAT_HOST',
    '127.0.0.1',
    'the default',
    'Address that both servers listen on. What nginx tells about the client is believed from loopback peers alone',
  ),
  httpPort: number('CHAT_HTTP_PORT', {
    unit: 'TCP port',
    default: 8000,
    min: 0,
    max: 65535,
    zero: 'any free port',
    meaning: 'Page, `/whoami`, `/healthz`, `/metrics` and the fallback',
  }),
  webSocketPort: number('CHAT_WEBSOCKET_PORT', {
    unit: 'TCP port',
    default: 9000,
    min: 0,
    max: 65535,
    zero: 'any free port',
    meaning: 'WebSockets, under `/ws/`',
  }),
  instance: text('CHAT_INSTANCE', '', "the machine's host name", 'Name that clients see for this instance'),
  redisUrl: text(
    'CHAT_REDIS_URL',
    '',
    'memory, for one instance',
    'Redis or Valkey that several instances share: `redis://…` or `rediss://…`',
  ),
  redisPrefix: text('CHAT_REDIS_PREFIX', 'chat', 'the default', 'Begins every key and channel in Redis'),
  stateDirectory: text(
    'CHAT_STATE_DIRECTORY',
    '',
    "systemd's `STATE_DIRECTORY` if set, else memory alone",
    'Where the memory store keeps its journal, so that a restart loses nothing; not used with Redis',
  ),
  allowedOrigins: {
    name: 'CHAT_ALLOWED_ORIGINS',
    kind: 'list',
    default: [],
    empty: 'the origin must be the host that was asked for',
    meaning: 'Origins that may connect, separated by commas, such as `https://chat.example.com`; `*` for any',
  } satisfies ListSetting,
  metrics: choice(
    'CHAT_METRICS',
    ['local', 'public', 'off'],
    'local',
    'Who may read `/metrics`: requests that did not come through nginx, everybody, nobody',
  ),
  logLevel: choice(
    'CHAT_LOG_LEVEL',
    ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    'info',
    'Lowest level that is logged; `debug` has a line per connection',
  ),
  heartbeatSeconds: number('CHAT_HEARTBEAT_SECONDS', {
    unit: 's',
    default: 25,
    min: 0,
    max: 3600,
    zero: 'no heartbeat',
    meaning:
      "How often each connection is pinged; it counts as gone after two without an answer. Must be below the load balancer's idle timeout (60 s by default)",
  }),
  drainSeconds: number('CHAT_DRAIN_SECONDS', {
    unit: 's',
    default: 5,
    min: 0,
    max: 300,
    zero: 'connections are cut at once',
    meaning: 'How long a stop waits for clients to close. Must be below `TimeoutStopSec` of the unit',
  }),
  reconnectSpreadSeconds: number('CHAT_RECONNECT_SPREAD_SECONDS', {
    unit: 's',
    default: 5,
    min: 0,
    max: 300,
    zero: 'all at once',
    meaning: 'Clients of an instance that stops come back spread over this time',
  }),
  openConnections: number('CHAT_OPEN_CONNECTIONS', {
    unit: 'connections',
    default: 20_000,
    min: 0,
    max: 1_000_000,
    zero: 'no limit',
    meaning: 'Open connections on this instance',
  }),
  addressOpenConnections: number('CHAT_ADDRESS_OPEN_CONNECTIONS', {
    unit: 'connections',
    default: 200,
    min: 0,
    max: 1_000_000,
    zero: 'no limit',
    meaning: 'Open connections of one trusted client address on this instance',
  }),
  addressConnectionsPerSecond: number('CHAT_ADDRESS_CONNECTIONS_PER_SECOND', {
    unit: 'connections/s',
    default: 20,
    min: 0,
    max: 1_000_000,
    zero: 'no limit',
    meaning: 'New connections of one trusted client address; ten seconds of them may come at once',
  }),
  messagesPerSecond: number('CHAT_MESSAGES_PER_SECOND', {
    unit: 'messages/s',
    default: 10,
    min: 0,
    max: 1_000_000,
    zero: 'no limit',
    meaning: 'What one connection may send, of any kind; ten seconds of it may come at once',
  }),
  addressMessagesPerSecond: number('CHAT_ADDRESS_MESSAGES_PER_SECOND', {
    unit: 'messages/s',
    default: 100,
    min: 0,
    max: 1_000_000,
    zero: 'no limit',
    meaning: 'What all connections of one trusted client address may send together; ten seconds of it may come at once',
  }),
  messageBytes: number('CHAT_MESSAGE_BYTES', {
    unit: 'bytes of UTF-8',
    default: 4096,
    min: 1,
    max: 1_048_576,
    meaning: 'Longest text of a message',
  }),
  nameCharacters: number('CHAT_NAME_CHARACTERS', {
    unit: 'characters',
    default: 40,
    min: 1,
    max: 200,
    meaning: 'Longest name of a person',
  }),
  roomCharacters: number('CHAT_ROOM_CHARACTERS', {
    unit: 'characters',
    default: 64,
    min: 1,
    max: 200,
    meaning: 'Longest name of a room',
  }),
  roomsPerConnection: number('CHAT_ROOMS_PER_CONNECTION', {
    unit: 'rooms',
    default: 20,
    min: 1,
    max: 10_000,
    meaning: 'Rooms that one connection may be in',
  }),
  bufferedBytes: number('CHAT_BUFFERED_BYTES', {
    unit: 'bytes',
    default: 1_048_576,
    min: 1024,
    max: 1_073_741_824,
    meaning: 'A client for which more than this waits to be written is cut off',
  }),
  historyMessages: number('CHAT_HISTORY_MESSAGES', {
    unit: 'messages',
    default: 1000,
    min: 1,
    max: 1_000_000,
    meaning: 'Kept per room; a client that missed more is told that history was lost',
  }),
  historyOnJoin: number('CHAT_HISTORY_ON_JOIN', {
    unit: 'messages',
    default: 50,
    min: 0,
    max: 1000,
    zero: 'none',
    meaning: 'Shown to somebody who enters a room for the first time',
  }),
  historySeconds: number('CHAT_HISTORY_SECONDS', {
    unit: 's',
    default: 604_800,
    min: 0,
    max: 315_360_000,
    zero: 'for good',
    meaning: 'A room is forgotten when nobody was in it and nothing was said for this long',
  }),
  historyBytes: number('CHAT_HISTORY_BYTES', {
    unit: 'bytes',
    default: 67_108_864,
    min: 1_048_576,
    max: 17_179_869_184,
    meaning:
      'All rooms together, in the memory store; the rooms that were quiet longest lose their oldest messages first',
  }),
  dedupeSeconds: number('CHAT_DEDUPE_SECONDS', {
    unit: 's',
    default: 600,
    min: 1,
    max: 86_400,
    meaning: 'How long a message that is sent again with the same id is recognised',
  }),
} as const satisfies Record<string, Setting>;

type Value<S extends Setting> = S extends NumberSetting
  ? number
  : S extends ListSetting
    ? readonly string[]
    : S extends ChoiceSetting<infer Choice>
      ? Choice
      : string;
export type Config = { readonly [Key in keyof typeof SETTINGS]: Value<(typeof SETTINGS)[Key]> };

/** The environment does not make a configuration. `message` names each variable that is wrong, its value, and what it may be. */
export class ConfigError extends Error {
  readonly code = 'ERR_CHAT_CONFIG';
  override readonly name = 'ConfigError';
}

/**
 * @throws ConfigError  one sentence per variable that is wrong, unknown ones that begin with `CHAT_` among them: a misspelt limit
 *                      would otherwise be no limit
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const known = new Set<string>(Object.values(SETTINGS).map(({ name }) => name));
  for (const name of Object.keys(environment)) {
    if (name.startsWith('CHAT_') && !known.has(name)) problems.push(`${name} is not a setting of the chat service.`);
  }

  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(SETTINGS) as [string, Setting][]) {
    const given = environment[setting.name];
    values[key] = given === undefined || given === '' ? setting.default : read(setting, given, problems);
  }
  values.instance ||= hostname();
  values.stateDirectory ||= environment.STATE_DIRECTORY ?? '';
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return values as Config;
}

function read(setting: Setting, given: string, problems: string[]): unknown {
  switch (setting.kind) {
    case 'number': {
      const value = Number(given);
      const zero = setting.zero === undefined ? '' : `, 0: ${setting.zero}`;
      if (!/^\d+$/.test(given) || value < setting.min || value > setting.max) {
        problems.push(
          `${setting.name}=${given} must be a whole number from ${setting.min} to ${setting.max} (${setting.unit}${zero}).`,
        );
      }
      return value;
    }
    case 'choice':
      if (!setting.choices.includes(given)) {
        problems.push(`${setting.name}=${given} must be one of ${setting.choices.join(', ')}.`);
      }
      return given;
    case 'list': {
      const items = given.split(',').map((item) => item.trim());
      for (const item of items) {
        if (item !== '*' && !isOrigin(item)) {
          problems.push(`${setting.name}: ${item} must be an origin such as https://chat.example.com, without a path.`);
        }
      }
      return items;
    }
    case 'text':
      if (setting === SETTINGS.redisUrl && !/^rediss?:\/\//.test(given)) {
        // The value may hold a password, and this message goes to the log.
        problems.push(`${setting.name} must begin with redis:// or rediss://.`);
      }
      return given;
  }
}

const isOrigin = (value: string): boolean => URL.canParse(value) && new URL(value).origin === value;
