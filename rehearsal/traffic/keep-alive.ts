import { between, judgeExchange, pause, type Run, type RunningClients, whoamiRequest } from './clients.ts';
import { ClientConnection, type Endpoint, type Exchange } from './exchange.ts';
import { isInShare, Rotation } from './rotation.ts';

/** Clients with one connection each, kept as long as the server keeps it, and a moment of thought between requests. */
export function startKeepAlive(run: Run): RunningClients {
  const { plan, targets } = run;
  const rotations = {
    plain: new Rotation({ sources: plan.sources, targets, listener: 'plain', port: plan.ports.plain }),
    tls: new Rotation({ sources: plan.sources, targets, listener: 'tls', port: plan.ports.tls }),
  };
  const clients = Array.from({ length: plan.keepAlive.clients }, (_, index) =>
    runClient(
      run,
      (index + 1) / plan.keepAlive.clients,
      rotations[isInShare(index, plan.keepAlive.tlsShare) ? 'tls' : 'plain'],
    ),
  );
  return { ended: Promise.all(clients).then(() => {}) };
}

interface KeptConnection {
  readonly connection: ClientConnection;
  readonly endpoint: Endpoint;
  readonly openedPhase: number;
}

async function runClient(run: Run, share: number, rotation: Rotation): Promise<void> {
  const { plan, returns, stop } = run;
  const { thinkTimeMs } = plan.keepAlive;
  let kept: KeptConnection | undefined;
  // Not all at once in the beginning.
  await pause(between([0, thinkTimeMs[1]]), stop);
  for (let returned = 0; !stop.aborted; ) {
    const turn = returns.due(share, returned);
    if (turn !== undefined) {
      returned = turn;
      kept?.connection.close();
      kept = undefined;
    }
    kept = await request(run, rotation, kept);
    await pause(between(thinkTimeMs), stop);
  }
  kept?.connection.close();
}

/**
 * One request, on the connection that is there or on a new one. Only where a reused connection ended before any byte of the
 * answer is it sent once more, on a new connection: the server may have closed it while the request was on its way, which
 * no client can know (RFC 9112, section 9.3.1, and every browser).
 *
 * @returns the connection for the next request, if the server keeps it
 */
async function request(
  run: Run,
  rotation: Rotation,
  kept: KeptConnection | undefined,
): Promise<KeptConnection | undefined> {
  const { plan, ledger, tls } = run;
  const open = (): KeptConnection => {
    const endpoint = rotation.next();
    return { connection: new ClientConnection(endpoint, tls), endpoint, openedPhase: ledger.currentPhase };
  };
  const isReused = kept?.connection.isOpen === true;
  let current = kept && isReused ? kept : open();

  const send = async (isRetry: boolean) => {
    const { endpoint, connection, openedPhase } = current;
    const sent = ledger.begin('keepAlive', endpoint, Date.now(), { openedPhase, isRetry });
    const text = whoamiRequest(sent.rid, plan.tls.servername, 'keep-alive');
    return { sent, exchange: await connection.exchange(text, plan.keepAlive.timeoutMs) };
  };
  let { sent, exchange } = await send(false);
  if (isReused && endedBeforeAnswer(exchange)) {
    ledger.retried(sent, Date.now(), exchange.detail);
    current = open();
    ({ sent, exchange } = await send(true));
  }

  const verdict = judgeExchange(current.endpoint.listener, exchange);
  if (verdict.kind === 'ok') ledger.succeeded(sent, Date.now(), verdict.answer);
  else ledger.failed(sent, Date.now(), verdict.failure, verdict.detail);
  if (exchange.kind === 'answer' && exchange.answer.keepsConnection) return current;
  current.connection.close();
  return undefined;
}

function endedBeforeAnswer(exchange: Exchange): exchange is Extract<Exchange, { kind: 'failure' }> {
  return exchange.kind === 'failure' && exchange.bytes === 0 && ['closed', 'reset'].includes(exchange.failure);
}
