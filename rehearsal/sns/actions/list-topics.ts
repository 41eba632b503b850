import type { SnsParts } from '../parts.ts';

export const listTopics =
  ({ store }: SnsParts) =>
  () => ({ Topics: [...store.topics.keys()].sort().map((TopicArn) => ({ TopicArn })) });
