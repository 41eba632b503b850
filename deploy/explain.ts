/** The SDK's errors that a person meets before anything works, as errors that say what to do. */
import { ProxyflipError } from '../functions/shared/errors.ts';

/** @returns the error itself where there is nothing to add */
export function explain(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ProxyflipError) return error;
  if (error.name === 'CredentialsProviderError' || /Could not load credentials/.test(error.message)) {
    return new ProxyflipError(
      'ERR_CREDENTIALS',
      `no AWS credentials were found (${error.message}). Sign in (aws sso login, aws configure), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`,
      { cause: error },
    );
  }
  if (/Region is missing/.test(error.message)) {
    return new ProxyflipError(
      'ERR_REGION',
      'no Region is set. Set AWS_REGION to that of the load balancer, or give the profile one.',
      { cause: error },
    );
  }
  if (/^(ExpiredToken|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient)/.test(error.name)) {
    return new ProxyflipError('ERR_CREDENTIALS', `AWS refuses these credentials: ${error.message}. Sign in again.`, {
      cause: error,
    });
  }
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND') {
    return new ProxyflipError(
      'ERR_ENDPOINT',
      `nothing answers at ${address ?? error.message}${port === undefined ? '' : `:${port}`} (${code}). Check the network, and AWS_ENDPOINT_URL where it is set.`,
      { cause: error },
    );
  }
  if ('$metadata' in error) {
    const { name, message } = error;
    return new ProxyflipError('ERR_AWS', `AWS refuses with ${name}: ${message}`, { cause: error });
  }
  return error;
}
