/** Something that the person at the keyboard can mend: said in one message, without a stack. */
export class RehearsalError extends Error {
  override readonly name = 'RehearsalError';
  /** Stable, for scripts: `ERR_…`. */
  readonly code: string;

  constructor(code: string, what: string, wayOut: string, options?: ErrorOptions) {
    super(`${what};\n  ${wayOut}`, options);
    this.code = code;
  }
}
