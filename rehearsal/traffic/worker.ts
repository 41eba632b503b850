/**
 * The clients' process: runs inside a network namespace, is told what to do on its standard input and reports on its
 * standard output, one JSON object a line (`messages.ts`). It ends when its input does, since then whoever started it is gone.
 */
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Run } from './clients.ts';
import type { TrafficResult } from './counts.ts';
import { TlsClient } from './exchange.ts';
import { startForged } from './forged.ts';
import { startKeepAlive } from './keep-alive.ts';
import { Ledger } from './ledger.ts';
import type { ToParent, ToWorker } from './messages.ts';
import { startNewConnections } from './new-connections.ts';
import type { TrafficPlan } from './plan.ts';
import { formatRecord } from './request-record.ts';
import { Returns } from './returns.ts';
import { Targets } from './rotation.ts';
import { startWebSockets } from './web-sockets.ts';

function tell(message: ToParent): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

class Worker {
  private readonly ledger: Ledger;
  private readonly targets: Targets;
  private readonly returns = new Returns();
  private readonly stopping = new AbortController();
  private endedBy: TrafficResult['endedBy'] = 'asked';
  private readonly plan: TrafficPlan;

  constructor(plan: TrafficPlan) {
    this.plan = plan;
    this.targets = new Targets([{ kind: 'classic', addresses: plan.targets, weight: 1 }]);
    const records = plan.recordFile === undefined ? undefined : createWriteStream(plan.recordFile);
    this.ledger = new Ledger({
      startMs: Date.now(),
      phase: plan.phase,
      nodes: [...plan.nodes, ...plan.targets],
      ...(records ? { onRecord: (record) => void records.write(formatRecord(record)) } : {}),
    });
    const run: Run = {
      plan,
      ledger: this.ledger,
      targets: this.targets,
      returns: this.returns,
      tls: new TlsClient(plan.tls),
      stop: this.stopping.signal,
    };
    const webSockets = startWebSockets(run);
    const clients = [startNewConnections(run), startKeepAlive(run), startForged(run), webSockets];

    setTimeout(() => this.stop('maxSeconds'), plan.maxSeconds * 1000).unref();
    // The last resort: whatever still hangs then is not waited for.
    setTimeout(() => process.exit(3), plan.maxSeconds * 1000 + plan.stopGraceMs + 5_000).unref();
    const view = setInterval(() => tell({ type: 'snapshot', snapshot: this.ledger.snapshot(Date.now()) }), 1000);

    void webSockets.opened.then(() => tell({ type: 'ready' }));
    void this.finish(Promise.all(clients.map((each) => each.ended))).then(async () => {
      clearInterval(view);
      if (records) await new Promise<void>((resolve) => records.end(() => resolve()));
      const result = this.ledger.result(Date.now(), this.endedBy);
      process.stdout.write(`${JSON.stringify({ type: 'result', result } satisfies ToParent)}\n`, () => process.exit(0));
    });
  }

  obey(message: ToWorker): void {
    switch (message.type) {
      case 'phase':
        this.ledger.enterPhase(message.phase, Date.now());
        tell({ type: 'done', number: message.number });
        break;
      case 'entries':
        this.targets.replace(message.entries);
        this.ledger.addEntries(message.entries);
        tell({ type: 'done', number: message.number });
        break;
      case 'reconnect':
        this.returns.call(message.withinMs);
        tell({ type: 'done', number: message.number });
        break;
      case 'stop':
        this.stop('asked');
        break;
      case 'plan':
        throw new Error('a worker has one plan');
    }
  }

  private stop(endedBy: TrafficResult['endedBy']): void {
    if (this.stopping.signal.aborted) return;
    this.endedBy = endedBy;
    this.stopping.abort();
  }

  /** Clients end by themselves only where the plan bounds their number; the run goes on until it is stopped. */
  private async finish(clientsEnded: Promise<unknown>): Promise<void> {
    await new Promise<void>((resolve) => {
      this.stopping.signal.addEventListener('abort', () => resolve());
    });
    const longest = Math.max(
      this.plan.newConnections.timeoutMs,
      this.plan.keepAlive.timeoutMs,
      this.plan.forged.timeoutMs,
      this.plan.stopGraceMs + 2_000,
    );
    const bound = new Promise<void>((resolve) => setTimeout(resolve, longest + 1_000));
    await Promise.race([clientsEnded, bound]);
  }
}

let worker: Worker | undefined;
const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  const message = JSON.parse(line) as ToWorker;
  if (worker) worker.obey(message);
  else if (message.type === 'plan') worker = new Worker(message.plan);
  else throw new Error(`the first message has to be the plan, not ${message.type}`);
});
input.on('close', () => process.exit(2));
process.stdout.on('error', () => process.exit(2));
