import type { Clients } from './target.ts';

export type Level = 'api' | 'instance' | 'stack';
export function sweep(
  clients: Clients,
  options: { readonly levels: readonly Level[]; readonly say: (line: string) => void },
): Promise<number>;
