import type { ModifyListenerInput, ModifyListenerOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { actionOf, checkPortIsFree, portOf, protocolOf, refuseOthers, tlsOf } from '../checks.ts';
import { describeListener } from '../describe.ts';
import type { LoadBalancers } from '../model.ts';

/** What is not given stays; a listener that becomes HTTP loses its certificate. */
export const modifyListener =
  (all: LoadBalancers) =>
  async (input: ModifyListenerInput): Promise<ModifyListenerOutput> => {
    refuseOthers(input, ['ListenerArn', 'Port', 'Protocol', 'SslPolicy', 'Certificates', 'DefaultActions']);
    const listener = all.listener(input.ListenerArn);
    const port = input.Port === undefined ? listener.port : portOf('Listener port', input.Port);
    const protocol = input.Protocol === undefined ? listener.protocol : protocolOf('Listener protocol', input.Protocol);
    checkPortIsFree(all, listener.loadBalancerArn, port, listener.arn);
    const stays = protocol === 'HTTPS';
    const certificates =
      input.Certificates ??
      (stays && listener.certificateArn ? [{ CertificateArn: listener.certificateArn }] : undefined);
    const tls = tlsOf(protocol, certificates, input.SslPolicy ?? (stays ? listener.sslPolicy : undefined));
    const defaultAction =
      input.DefaultActions === undefined
        ? listener.defaultAction
        : actionOf(all, listener.loadBalancerArn, input.DefaultActions);
    Object.assign(listener, { port, protocol, ...tls, defaultAction });
    await all.apply(listener.loadBalancerArn);
    return { Listeners: [describeListener(listener)] };
  };
