import type { Position } from '../../chat/protocol.ts';
import { ChatClient } from './chat-client.ts';
import { between, pause, type Run, type RunningClients } from './clients.ts';
import { Rotation } from './rotation.ts';

/** How many are being opened at the same time, so that their handshakes do not all meet the same instant. */
const OPENING_AT_ONCE = 8;

export interface RunningWebSockets extends RunningClients {
  /** Resolves when each is open or has failed to open. */
  readonly opened: Promise<void>;
}

/**
 * Chat clients that stay for the whole run, but where they are told to come back. A WebSocket that ends unasked is dropped, its client
 * does not come back, and its messages are lost.
 */
export function startWebSockets(run: Run): RunningWebSockets {
  const { plan, targets } = run;
  const rotation = new Rotation({ sources: plan.sources, targets, listener: 'tls', port: plan.ports.tls });
  const waiting = Array.from({ length: plan.webSockets.clients }, (_, index) => index);
  const conversations: Promise<void>[] = [];
  const opener = async (): Promise<void> => {
    for (let index = waiting.shift(); index !== undefined && !run.stop.aborted; index = waiting.shift()) {
      const conversation = await open(run, rotation, index);
      if (conversation) conversations.push(conversation());
    }
  };
  const opened = Promise.all(Array.from({ length: OPENING_AT_ONCE }, opener)).then(() => {});
  return { opened, ended: opened.then(() => Promise.all(conversations)).then(() => {}) };
}

async function open(run: Run, rotation: Rotation, index: number): Promise<(() => Promise<void>) | undefined> {
  const { plan, ledger, returns, stop } = run;
  const room = `rehearsal-${ledger.phases[0]?.startMs.toString(36)}-${index}`;
  /** Messages on their way: id and when it was sent. */
  const due = new Map<string, number>();
  let onSettled = (): void => {};

  const connect = async (since?: Position): Promise<ChatClient | undefined> => {
    const { source, target, port } = rotation.next();
    const openedPhase = ledger.currentPhase;
    try {
      const client = await ChatClient.open({
        target,
        port,
        source,
        path: plan.webSockets.path,
        tls: plan.tls,
        room,
        since,
        openTimeoutMs: plan.webSockets.openTimeoutMs,
        onEcho: (id) => {
          const sentMs = due.get(id);
          if (sentMs === undefined) return;
          due.delete(id);
          ledger.messageEchoed(sentMs, Date.now());
          if (due.size === 0) onSettled();
        },
        onDrop: (code, reason) => {
          ledger.webSocketDropped({ client: index, target, atMs: Date.now(), code, reason });
          onSettled();
        },
        onComplaint: (what) => ledger.webSocketComplaint(index, what),
      });
      const at = { source, target, openedPhase };
      if (since === undefined) ledger.webSocketOpened(at, client.welcome);
      else ledger.webSocketReturned(at, client.welcome);
      return client;
    } catch (error) {
      ledger.webSocketFailedToOpen(target, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };

  const first = await connect();
  return first && (() => converse(first));

  async function converse(client: ChatClient): Promise<void> {
    let current: ChatClient | undefined = client;
    let returned = 0;
    for (let number = 1; !stop.aborted && current?.isOpen; number += 1) {
      const id = `m-${String(number).padStart(8, '0')}`;
      due.set(id, Date.now());
      ledger.messageSent();
      current.say(id, `message ${number}`);
      const turn = returns.due((index + 1) / plan.webSockets.clients, returned);
      if (turn !== undefined) {
        returned = turn;
        // In the middle of a message: its echo has to be had from the other connection.
        current = await comeBack(current);
      }
      await pause(between(plan.webSockets.messageIntervalMs), stop);
    }
    if (due.size > 0 && current?.isOpen) {
      const grace = setTimeout(() => onSettled(), plan.stopGraceMs);
      await new Promise<void>((resolve) => {
        onSettled = resolve;
      });
      clearTimeout(grace);
    }
    ledger.messagesLost(due.size);
    if (!current?.isOpen) return;
    await current.close();
    ledger.webSocketClosed();
  }

  /** As the page does it: from the place of the last message that was heard, and what is not known to have arrived is said again. */
  async function comeBack(client: ChatClient): Promise<ChatClient | undefined> {
    await client.close();
    const next = await connect(client.position);
    if (next === undefined) ledger.webSocketClosed();
    else for (const id of due.keys()) next.say(id, `message ${Number(id.slice(2))}`);
    return next;
  }
}
