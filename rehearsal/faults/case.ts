import type { Direction } from './recorded-call.ts';

/** One fault at one place in one direction, and what came of it. */
export interface Case {
  /** Which part of the matrix it belongs to, as `--only` names them. */
  readonly part: string;
  readonly fault: string;
  /** A call of the product, or a step of the runbook. */
  readonly where: string;
  readonly direction: Direction;
  /** How the run ended that met it. */
  readonly ended: string;
  /** What a run that did not succeed said about how things are. */
  readonly said: string;
  /** How the run ended that came after it; '' = the one before had ended the work. */
  readonly next: string;
  /** What clients saw, where the fault itself cut something off; '' = nothing. */
  readonly cut?: string;
  /** What was not as it has to be, a sentence each. */
  readonly wrong: readonly string[];
}

export function describeCase({ part, fault, where, direction, ended, next, wrong }: Case): string {
  const behind = next === '' ? '' : `, then ${next}`;
  return `${part}: ${fault}, ${direction}, ${where}: ${ended}${behind}${wrong.length === 0 ? '' : ` – ${wrong.join('; ')}`}`;
}
