import type { DeleteListenerInput, DeleteListenerOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { LoadBalancers } from '../model.ts';

export const deleteListener =
  (all: LoadBalancers) =>
  async (input: DeleteListenerInput): Promise<DeleteListenerOutput> => {
    await all.deleteListener(all.listener(input.ListenerArn));
    return {};
  };
