/** An error as S3 answers it. */
export class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly code: string;
  readonly statusCode: number;

  constructor(code: string, message: string, statusCode: number) {
    super(message);
    this.code = code;
    this.statusCode = statusCode;
  }
}

export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** `text` is escaped; content without that mark is XML already. */
export const element = (name: string, content: string | number | boolean, kind: 'text' | 'xml' = 'xml'): string =>
  `<${name}>${kind === 'text' ? String(content).replace(/[&<>"]/g, (each) => ENTITIES[each] ?? each) : content}</${name}>`;
