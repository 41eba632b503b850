import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

/** Everything that `/metrics` tells; `chat/README.md` lists it. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    connections: new Gauge({
      name: 'chat_connections',
      help: 'Open connections',
      labelNames: ['transport'] as const,
      registers,
    }),
    opened: new Counter({
      name: 'chat_connections_opened_total',
      help: 'Connections opened, and whether the client address was trusted',
      labelNames: ['transport', 'trusted'] as const,
      registers,
    }),
    closed: new Counter({
      name: 'chat_connections_closed_total',
      help: 'Connections closed: by the client, as slow, as silent, or in a drain',
      labelNames: ['transport', 'why'] as const,
      registers,
    }),
    rooms: new Gauge({
      name: 'chat_rooms',
      help: 'Rooms in which somebody of this instance is',
      registers,
    }),
    received: new Counter({
      name: 'chat_messages_received_total',
      help: 'Messages from clients, by type',
      labelNames: ['type'] as const,
      registers,
    }),
    delivered: new Counter({
      name: 'chat_messages_delivered_total',
      help: 'Chat messages handed to clients, one per client',
      registers,
    }),
    refused: new Counter({
      name: 'chat_refused_total',
      help: 'Refusals, by code',
      labelNames: ['code'] as const,
      registers,
    }),
    joins: new Counter({
      name: 'chat_joins_total',
      help: 'Joins, by what became of the history: new, complete or lost',
      labelNames: ['recovered'] as const,
      registers,
    }),
    appendSeconds: new Histogram({
      name: 'chat_append_seconds',
      help: 'Time until a message was kept',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5],
      registers,
    }),
    storageUp: new Gauge({
      name: 'chat_storage_up',
      help: '1: the store answers; 0: it is away',
      registers,
    }),
  };
}
