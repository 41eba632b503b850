import type { TestEventPatternRequest } from '@aws-sdk/client-eventbridge';
import { readPattern } from '../pattern.ts';

export const testEventPattern = () => (input: TestEventPatternRequest) => ({
  Result: readPattern(input.EventPattern ?? '')(JSON.parse(input.Event ?? 'null')),
});
