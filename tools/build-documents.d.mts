export function assembleScript(name: string): string;
export function shippedScript(name: string): string;
export function buildDocuments(): Promise<void>;
