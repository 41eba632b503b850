/**
 * The answer to CloudFormation, and the only file that knows how one is sent.
 *
 * Source: CloudFormation user guide, "Custom resource response objects": a PUT to the pre-signed ResponseURL, "the total size of
 * the response body can't exceed 4096 bytes", the physical id non-empty and at most 1 KB. An answer that breaks one of these is no
 * answer, and the stack hangs until its time is over. The pre-signed URL was made without a content type, so an empty one is sent.
 */
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import type { Clock } from '../shared/clock.ts';
import { messageOf, ProxyflipError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';

export interface Answer {
  readonly status: 'SUCCESS' | 'FAILED';
  readonly physicalResourceId: string;
  /** Why it failed, or a word on how it went. Cut to fit. */
  readonly reason: string;
  /** For Fn::GetAtt. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface ReplyDeps {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly log: Log;
}

const MAX_BODY_BYTES = 4096;
const MAX_DATA_VALUE_BYTES = 600;
const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 500;
const ATTEMPT_TIMEOUT_MS = 10_000;

export async function reply(deps: ReplyDeps, event: CloudFormationCustomResourceEvent, answer: Answer): Promise<void> {
  const body = responseBody(event, answer);
  // Never the URL: whoever reads it in a log can answer in our place.
  deps.log('answer', { status: answer.status, physicalResourceId: answer.physicalResourceId, reason: answer.reason });
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    let last: string;
    try {
      const response = await deps.fetch(event.ResponseURL, {
        method: 'PUT',
        headers: { 'content-type': '' },
        body: new TextEncoder().encode(body),
        signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
      });
      if (response.ok) return;
      last = `HTTP ${response.status}`;
    } catch (error) {
      last = messageOf(error);
    }
    deps.log('answer not taken', { attempt, last: last.replaceAll(event.ResponseURL, 'ResponseURL') });
    if (attempt < ATTEMPTS) await deps.clock.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
  }
  throw new ProxyflipError(
    'ERR_ANSWER_NOT_TAKEN',
    `CloudFormation's response address did not take the answer in ${ATTEMPTS} attempts; Lambda invokes the function again. In a VPC, the function needs a route to S3.`,
  );
}

export function responseBody(event: CloudFormationCustomResourceEvent, answer: Answer): string {
  const { StackId, RequestId, LogicalResourceId } = event;
  const data = Object.fromEntries(
    Object.entries(answer.data ?? {}).map(([key, value]) => [key, cutToBytes(value, MAX_DATA_VALUE_BYTES)]),
  );
  const withReason = (reason: string): string =>
    JSON.stringify({
      Status: answer.status,
      Reason: reason,
      PhysicalResourceId: answer.physicalResourceId,
      StackId,
      RequestId,
      LogicalResourceId,
      Data: data,
    });
  // A character may take more bytes in JSON than by itself (quotes, line ends), so the room is searched, not computed.
  let [low, high] = [0, byteLength(answer.reason)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (byteLength(withReason(cutToBytes(answer.reason, middle))) <= MAX_BODY_BYTES) low = middle;
    else high = middle - 1;
  }
  return withReason(cutToBytes(answer.reason, low));
}

/** Never in the middle of a character: the decoder would write one of three bytes in its place. */
export function cutToBytes(text: string, maxBytes: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= maxBytes) return text;
  const mark = maxBytes > 3 ? '…' : '';
  let end = maxBytes - byteLength(mark);
  // The bytes of a character behind its first are 10xxxxxx.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return new TextDecoder().decode(bytes.subarray(0, end)) + mark;
}

const byteLength = (text: string): number => new TextEncoder().encode(text).length;
