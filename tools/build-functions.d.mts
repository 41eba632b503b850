import type { Metafile } from 'esbuild';

export const FUNCTIONS: readonly string[];
export const BUDGET: number;
export function bundleFunction(
  name: string,
): Promise<{ name: string; code: Uint8Array; map: Uint8Array; metafile: Metafile }>;
