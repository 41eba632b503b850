export function requireEntries(changelog: string): void;
export function withRelease(changelog: string, version: string, date: string): string;
export function withoutContents<T extends object>(template: T): T;
