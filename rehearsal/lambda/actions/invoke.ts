import { letsServiceIn } from '../../aws/resource-policy.ts';
import { ServiceError } from '../../aws/service.ts';
import { serviceCaller } from '../../aws/service-caller.ts';
import type { LambdaFunction } from '../function-store.ts';
import { newRequestId } from '../invoker.ts';
import type { LambdaActions } from '../parts.ts';
import { policyOf } from './permission.ts';

/** Source: Lambda quotas. Bytes. */
const SYNCHRONOUS_LIMIT = 6 * 1024 * 1024;
const ASYNCHRONOUS_LIMIT = 1024 * 1024;

/** A function that fails is a successful call: status 200 and FunctionError. */
export const invoke: LambdaActions<'Invoke'> = ({ store, invoker }) => ({
  async Invoke({ FunctionName, Qualifier, InvocationType = 'RequestResponse', LogType, Payload }, { accessKeyId }) {
    const found = store.get(FunctionName, Qualifier);
    mayInvoke(found, accessKeyId);
    const payload = toJson(Payload);
    const requestId = newRequestId();
    switch (InvocationType) {
      case 'DryRun':
        return { StatusCode: 204 };
      case 'Event':
        requireSize(payload, ASYNCHRONOUS_LIMIT);
        invoker.enqueue(found, payload, requestId);
        return { StatusCode: 202 };
      case 'RequestResponse': {
        requireSize(payload, SYNCHRONOUS_LIMIT);
        const report = await invoker.invoke(found, payload, requestId);
        const isTooLarge = report.payload.byteLength > SYNCHRONOUS_LIMIT;
        return {
          StatusCode: 200,
          ExecutedVersion: '$LATEST',
          ...((report.failed || isTooLarge) && { FunctionError: 'Unhandled' }),
          ...(LogType === 'Tail' && { LogResult: Buffer.from(report.logTail).toString('base64') }),
          Payload: isTooLarge ? tooLarge(report.payload.byteLength) : new Uint8Array(report.payload),
        };
      }
      default:
        throw new ServiceError(
          'ValidationException',
          `1 validation error detected: Value '${InvocationType}' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]`,
        );
    }
  },
});

/** A service needs a statement in the function's own policy (AddPermission); users and roles are held to theirs elsewhere. */
function mayInvoke(found: LambdaFunction, accessKeyId: string): void {
  const caller = serviceCaller(accessKeyId);
  if (caller === undefined) return;
  const { FunctionArn: resource } = found.configuration;
  if (letsServiceIn(policyOf(found), { ...caller, action: 'lambda:InvokeFunction', resource })) return;
  throw new ServiceError(
    'AccessDeniedException',
    `User: ${caller.principal} is not authorized to perform: lambda:InvokeFunction on resource: ${resource} because no resource-based policy allows the lambda:InvokeFunction action`,
    403,
  );
}

function toJson(payload: Uint8Array | string | undefined): Uint8Array {
  const bytes = payload === undefined || payload.length === 0 ? Buffer.from('{}') : Buffer.from(payload);
  try {
    JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new ServiceError(
      'InvalidRequestContentException',
      `Could not parse request body into json: ${(error as Error).message}`,
      400,
      { Type: 'User' },
    );
  }
  return bytes;
}

function requireSize(payload: Uint8Array, limit: number): void {
  if (payload.byteLength <= limit) return;
  throw new ServiceError(
    'RequestTooLargeException',
    `Request must be smaller than ${limit} bytes for the InvokeFunction operation`,
    413,
    { Type: 'User' },
  );
}

function tooLarge(size: number): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      errorType: 'Function.ResponseSizeTooLarge',
      errorMessage: `Response payload size (${size} bytes) exceeded maximum allowed payload size (${SYNCHRONOUS_LIMIT} bytes).`,
    }),
  );
}
