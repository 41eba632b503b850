import type { CreateListenerInput, CreateListenerOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { actionOf, checkPortIsFree, portOf, protocolOf, refuseOthers, tagsOf, tlsOf } from '../checks.ts';
import { describeListener } from '../describe.ts';
import type { LoadBalancers } from '../model.ts';

export const createListener =
  (all: LoadBalancers) =>
  async (input: CreateListenerInput): Promise<CreateListenerOutput> => {
    refuseOthers(input, ['LoadBalancerArn', 'Protocol', 'Port', 'SslPolicy', 'Certificates', 'DefaultActions', 'Tags']);
    const { arn: loadBalancerArn } = all.loadBalancer(input.LoadBalancerArn);
    const port = portOf('Listener port', input.Port);
    const protocol = protocolOf('Listener protocol', input.Protocol);
    checkPortIsFree(all, loadBalancerArn, port);
    const listener = await all.createListener({
      loadBalancerArn,
      port,
      protocol,
      ...tlsOf(protocol, input.Certificates, input.SslPolicy),
      defaultAction: actionOf(all, loadBalancerArn, input.DefaultActions),
      tags: tagsOf(new Map(), input.Tags),
    });
    return { Listeners: [describeListener(listener)] };
  };
