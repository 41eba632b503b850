import { judgeExchange, type Run, type RunningClients, whoamiRequest } from './clients.ts';
import { ClientConnection } from './exchange.ts';
import { runOpenLoop } from './open-loop.ts';
import { isInShare, Rotation } from './rotation.ts';

/** One request on each connection. The first failure counts: nothing is tried again. */
export function startNewConnections(run: Run): RunningClients {
  const { plan, ledger, targets, tls, stop } = run;
  const { perSecond, tlsShare, timeoutMs, maxInFlight } = plan.newConnections;
  const rotations = {
    plain: new Rotation({ sources: plan.sources, targets, listener: 'plain', port: plan.ports.plain }),
    tls: new Rotation({ sources: plan.sources, targets, listener: 'tls', port: plan.ports.tls }),
  };

  const start = async (index: number, dueMs: number): Promise<void> => {
    const endpoint = rotations[isInShare(index, tlsShare) ? 'tls' : 'plain'].next();
    const request = ledger.begin('new', endpoint, Date.now(), { dueMs });
    const connection = new ClientConnection(endpoint, tls);
    const exchange = await connection.exchange(whoamiRequest(request.rid, plan.tls.servername, 'close'), timeoutMs);
    connection.close();
    const verdict = judgeExchange(endpoint.listener, exchange);
    if (verdict.kind === 'ok') ledger.succeeded(request, Date.now(), verdict.answer);
    else ledger.failed(request, Date.now(), verdict.failure, verdict.detail);
  };

  const ended = runOpenLoop({
    perSecond,
    maxInFlight,
    stop,
    start,
    onCapReached: () => ledger.capReached(),
    onStarted: (lateMs, inFlight) => ledger.started(lateMs, inFlight),
  });
  return { ended };
}
