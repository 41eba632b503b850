type Body = (...values: never[]) => unknown;
interface Define {
  (title: string, body: Body): void;
  each(rows: readonly unknown[]): (title: string, body: Body) => void;
}

export interface JestGlobals {
  readonly describe: Define;
  readonly test: Define;
  readonly beforeEach: (body: Body) => void;
  readonly afterEach: (body: Body) => void;
}

export function collectTests(
  file: string,
  load: (globals: JestGlobals) => void,
): { readonly id: string; readonly name: string; readonly run: () => Promise<void> }[];
