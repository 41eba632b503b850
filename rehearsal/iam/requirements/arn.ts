import { ACCOUNT_ID, REGION } from '../../world.ts';

/** `arn:aws:ssm:eu-central-1:111122223333:parameter/x` */
export function arn(service: string, resource: string): string {
  return `arn:aws:${service}:${REGION}:${ACCOUNT_ID}:${resource}`;
}

/** For several actions that need the same kind of thing: each name with the permission of that name. */
export function alike<Input>(
  service: string,
  actions: readonly string[],
  resource: (input: Input) => string,
): Record<string, (input: Input) => { action: string; resource: string }[]> {
  return Object.fromEntries(
    actions.map((action) => [action, (input) => [{ action: `${service}:${action}`, resource: resource(input) }]]),
  );
}

/** For actions that know no resource. */
export const anywhere = (): string => '*';
