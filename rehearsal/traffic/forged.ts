import { judgeExchange, type Run, type RunningClients, whoamiRequest } from './clients.ts';
import { ClientConnection } from './exchange.ts';
import { runOpenLoop } from './open-loop.ts';
import { Rotation } from './rotation.ts';

/**
 * Clients that begin with a PROXY line of their own, inside TLS where the listener has it: what the load balancer passes on
 * then begins with a line that the load balancer did not write. They may be refused or served, but never believed.
 *
 * Every other one goes to the TLS listener, where the application answers; what the redirects on the plain one were told is in
 * nginx's access log.
 */
export function startForged(run: Run): RunningClients {
  const { plan, ledger, targets, tls, stop } = run;
  const { perSecond, claimedAddress, timeoutMs } = plan.forged;
  const rotations = {
    plain: new Rotation({ sources: plan.sources, targets, listener: 'plain', port: plan.ports.plain }),
    tls: new Rotation({ sources: plan.sources, targets, listener: 'tls', port: plan.ports.tls }),
  };

  const start = async (index: number): Promise<void> => {
    const endpoint = rotations[index % 2 === 0 ? 'tls' : 'plain'].next();
    const request = ledger.begin('forged', endpoint, Date.now());
    const connection = new ClientConnection(endpoint, tls);
    const line = `PROXY TCP4 ${claimedAddress} ${endpoint.target} 40000 ${endpoint.port}\r\n`;
    const exchange = await connection.exchange(
      line + whoamiRequest(request.rid, plan.tls.servername, 'close'),
      timeoutMs,
    );
    connection.close();
    const verdict = judgeExchange(endpoint.listener, exchange);
    if (verdict.kind === 'ok') ledger.forgedServed(request, Date.now(), claimedAddress, verdict.answer);
    else if (verdict.failure === 'status-400' || verdict.failure === 'closed') {
      ledger.forgedRefused(request, Date.now(), verdict.failure);
    } else ledger.failed(request, Date.now(), verdict.failure, verdict.detail);
  };

  const ended = runOpenLoop({
    perSecond,
    maxInFlight: 1_000,
    stop,
    start,
    onCapReached: () => {},
  });
  return { ended };
}
