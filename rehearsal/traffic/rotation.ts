import { type Entry, entryAt } from './entries.ts';
import type { Endpoint, Listener } from './exchange.ts';

/** The addresses that the service's name resolves to at this moment. */
export class Targets {
  private entries: readonly Entry[];

  constructor(entries: readonly Entry[]) {
    this.entries = entries;
  }

  replace(entries: readonly Entry[]): void {
    this.entries = entries;
  }

  at(index: number): string {
    const { addresses } = entryAt(this.entries, index);
    const address = addresses[index % addresses.length];
    if (address === undefined) throw new Error('the list of targets is empty');
    return address;
  }
}

/**
 * Whose turn it is. Each source meets each target: after each round of the sources the targets are shifted by one,
 * else a source would always meet the same one wherever their numbers have a common divisor.
 */
export class Rotation {
  private turn = 0;
  private readonly sources: readonly string[];
  private readonly targets: Targets;
  private readonly listener: Listener;
  private readonly port: number;

  constructor(options: { sources: readonly string[]; targets: Targets; listener: Listener; port: number }) {
    this.sources = options.sources;
    this.targets = options.targets;
    this.listener = options.listener;
    this.port = options.port;
  }

  next(): Endpoint {
    const round = Math.floor(this.turn / this.sources.length);
    const source = this.sources[this.turn % this.sources.length];
    if (source === undefined) throw new Error('the list of sources is empty');
    const target = this.targets.at(this.turn + round);
    this.turn += 1;
    return { listener: this.listener, port: this.port, source, target };
  }
}

/** Which of a sequence are the chosen share, spread evenly: of 0.25 every fourth. */
export function isInShare(index: number, share: number): boolean {
  return Math.floor((index + 1) * share) > Math.floor(index * share);
}
