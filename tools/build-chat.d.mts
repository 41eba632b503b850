export function buildChat(): Promise<void>;
export function buildChatArtifact(): Promise<{ file: string; sha256: string; bytes: number }>;
