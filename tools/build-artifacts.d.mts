export function withNames(template: string, artifacts: { name: string; key: string; sha256: string }[]): string;
