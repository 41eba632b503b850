export function packageDirectories(metafile: {
  outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>;
}): string[];
export function requireKnownLicences(packages: { name: string; version: string; license?: string }[]): void;
