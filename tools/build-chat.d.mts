export function buildChat(): Promise<void>;
export function buildChatArtifacts(): Promise<
  { architecture: 'x86_64' | 'arm64'; file: string; sha256: string; bytes: number }[]
>;
