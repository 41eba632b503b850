import { ServiceError } from '../aws/service.ts';

/** Of topics that are not FIFO, and without delivery to where nothing is delivered here. */
const KNOWN = ['DisplayName', 'Policy', 'KmsMasterKeyId', 'TracingConfig', 'SignatureVersion'];

/** @throws ServiceError InvalidParameter */
export function checkAttributes(attributes: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (!KNOWN.includes(name)) throw invalid(`AttributeName ${name} is not in the rehearsal`);
    if (name === 'Policy') checkPolicy(value);
  }
}

function checkPolicy(text: string): void {
  try {
    const { Statement } = JSON.parse(text) as { Statement?: unknown };
    if (Statement === undefined) throw invalid('Policy statement must be there');
  } catch (error) {
    throw error instanceof ServiceError ? error : invalid(`Policy is no JSON: ${(error as Error).message}`);
  }
}

const invalid = (why: string) => new ServiceError('InvalidParameter', `Invalid parameter: ${why}`);
