/** What can befall one call, one fault each. An attempt is each time that the call comes, whoever repeats it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, DUPLICATE, type Interceptor, RESET } from '../aws/faults.ts';
import { throttling } from '../aws/rate-limit.ts';
import { ServiceError } from '../aws/service.ts';
import { accessDenied } from '../iam/authorizer.ts';
import type { RecordedCall } from './recorded-call.ts';

type Before = ReturnType<NonNullable<Interceptor['before']>>;
type After = ReturnType<NonNullable<Interceptor['after']>>;

export interface ApiFault {
  readonly name: string;
  /** Whether the product gets over it at this call within the step. What does not ends the run, and the next run has to end the work. */
  isSurvivedAt(call: RecordedCall): boolean;
  before?(call: Call, attempt: number): Before;
  after?(call: Call, attempt: number): After;
}

export interface FaultSettings {
  /** How long a call is left without an answer: longer than whoever calls waits. Unit: milliseconds. */
  readonly silenceMs: number;
  /** How late an answer is that comes: less than whoever calls waits. Unit: milliseconds. */
  readonly lateMs: number;
  /** Ends the function's process at once, as Lambda does with one that has gone wrong. */
  readonly killFunction: () => void;
}

/** More than the SDK gets over by default with its three attempts, less than the product with its ten. */
const A_WHILE = 3;

/** Functions call through the SDK, which repeats; that Automation itself repeats nothing is assumed, on the careful side. */
const isRepeatedBySdk = ({ by }: RecordedCall): boolean => by !== 'Automation';
const always = (): boolean => true;
const never = (): boolean => false;

export function apiFaults({ silenceMs, lateMs, killFunction }: FaultSettings): ApiFault[] {
  return [
    {
      name: 'throttled for a while',
      isSurvivedAt: isRepeatedBySdk,
      before: (call, attempt) => (attempt <= A_WHILE ? throttling(call.protocol) : undefined),
    },
    { name: 'throttled for good', isSurvivedAt: never, before: (call) => throttling(call.protocol) },
    {
      name: '500',
      isSurvivedAt: isRepeatedBySdk,
      before: (call, attempt) =>
        attempt === 1 ? new ServiceError(internalError(call), 'We encountered an internal error.', 500) : undefined,
    },
    {
      name: 'timeout',
      isSurvivedAt: isRepeatedBySdk,
      // The nastier of the two: the service has acted, and says nothing. Automation's own patience is not known, and taken to be short.
      after: ({ invocationId }, attempt) =>
        attempt === 1 ? sleep(invocationId === undefined ? lateMs : silenceMs, RESET, { ref: false }) : undefined,
    },
    {
      name: 'connection reset before',
      isSurvivedAt: isRepeatedBySdk,
      before: (_call, attempt) => (attempt === 1 ? RESET : undefined),
    },
    {
      name: 'connection reset after',
      isSurvivedAt: isRepeatedBySdk,
      after: (_call, attempt) => (attempt === 1 ? RESET : undefined),
    },
    {
      name: 'access denied',
      isSurvivedAt: never,
      before: (call) => accessDenied(call.protocol, `not authorized to perform ${call.service}:${call.action}`),
    },
    {
      name: 'answer late',
      isSurvivedAt: always,
      after: (_call, attempt) => (attempt === 1 ? sleep(lateMs, undefined) : undefined),
    },
    {
      name: 'done twice',
      isSurvivedAt: always,
      before: (_call, attempt) => (attempt === 1 ? DUPLICATE : undefined),
    },
    {
      name: 'function killed before',
      isSurvivedAt: never,
      before: (_call, attempt) => {
        if (attempt > 1) return undefined;
        killFunction();
        return RESET;
      },
    },
    {
      name: 'function killed after',
      isSurvivedAt: never,
      after: (_call, attempt) => {
        if (attempt > 1) return undefined;
        killFunction();
        return RESET;
      },
    },
  ];
}

/** A function's process can be killed around its own calls alone. */
export const isPossible = (fault: ApiFault, { by }: RecordedCall): boolean =>
  by !== 'Automation' || !fault.name.startsWith('function killed');

/** Source: "Common errors" of the services. */
function internalError({ protocol }: Call): string {
  switch (protocol) {
    case 'restJson1':
      return 'ServiceException';
    case 'awsJson1_1':
    case 'awsJson1_0':
      return 'InternalServerError';
    default:
      return 'InternalFailure';
  }
}
