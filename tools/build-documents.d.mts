export function assembleScript(name: string): string;
export function shippedScript(name: string): string;
/** By file name. Needs the tree's root as working directory. */
export function assembledTemplates(): Record<string, unknown>;
export function buildDocuments(): Promise<void>;
