/** The services of the shipped compose file as arguments of `podman run`: the containers of the rehearsal are those that people start. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../paths.ts';

/** A service as `container/compose.yaml` has it. */
export type ComposeService = Readonly<Record<string, unknown>>;

/**
 * What the rehearsal does itself, in another way: an instance's containers share its network, so that there are no ports to publish;
 * images are loaded; readiness is asked for; and a container that ends by itself is a failure, not started again.
 */
const NOT_PASSED_ON = ['image', 'build', 'ports', 'healthcheck', 'restart'];

export async function composeService(name: string): Promise<ComposeService> {
  const file = parse(await readFile(path.join(ROOT, 'container/compose.yaml'), 'utf8'));
  const service: unknown = file.services?.[name];
  if (typeof service !== 'object' || service === null) throw new Error(`container/compose.yaml has no service ${name}`);
  return service as ComposeService;
}

export interface ServiceChanges {
  /** In the place of the values that the service has, or beside them. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Named volume → directory of the host. */
  readonly volumes?: Readonly<Record<string, string>>;
}

/** @throws Error  a key that the rehearsal does not know how to play */
export function serviceArguments(
  service: ComposeService,
  { environment = {}, volumes = {} }: ServiceChanges,
): string[] {
  const variables = { ...(service.environment as Record<string, string>), ...environment };
  return [
    ...Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`),
    ...Object.entries(service).flatMap(([key, value]) => option(key, value, volumes)),
  ];
}

function option(key: string, value: unknown, volumes: Readonly<Record<string, string>>): string[] {
  if (NOT_PASSED_ON.includes(key)) return [];
  switch (key) {
    case 'environment':
      return [];
    case 'read_only':
      // Podman would mount a tmpfs on /run and /var/tmp as well; Docker does not.
      return value === true ? ['--read-only', '--read-only-tmpfs=false'] : [];
    case 'cap_drop':
    case 'cap_add':
    case 'tmpfs':
      return strings(key, value).map((each) => `--${key.replace('_', '-')}=${each}`);
    case 'volumes':
      return strings(key, value).map((each) => {
        const [name = '', target = ''] = each.split(':');
        const directory = volumes[name];
        if (directory === undefined) throw new Error(`the rehearsal has no directory for the volume ${name}`);
        return `--volume=${directory}:${target}`;
      });
    case 'stop_grace_period':
      return [`--stop-timeout=${Number.parseInt(String(value), 10)}`];
    default:
      throw new Error(`container/compose.yaml has the key ${key}, which the rehearsal does not know how to play`);
  }
}

function strings(key: string, value: unknown): string[] {
  if (!Array.isArray(value)) throw new Error(`container/compose.yaml has a ${key} that is not a list`);
  return value.map(String);
}
