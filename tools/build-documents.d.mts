export function receiverScript(): string;
export function buildDocuments(): Promise<void>;
