interface BuiltFile {
  name: string;
  content: Uint8Array;
}
export function buildChat(): Promise<{ files: BuiltFile[]; bundles: { name: string; metafile: object }[] }>;
export function buildChatArtifacts(
  files: BuiltFile[],
): Promise<{ architecture: 'x86_64' | 'arm64'; file: string; sha256: string; bytes: number }[]>;
