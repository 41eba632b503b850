/** How unit tests call the rehearsal's endpoint by the SDK's own clients. */
import type { AwsEndpoint } from '../../rehearsal/aws/endpoint.ts';

/** One attempt: what is refused once has been refused. */
export const clientSettings = ({ url }: Pick<AwsEndpoint, 'url'>) => ({
  endpoint: url,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'any' },
  maxAttempts: 1,
});

/** @returns the error's code; undefined where there was none */
export const codeOf = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    (error: Error) => error.name,
  );
