/**
 * The plain half of filter patterns: every term has to be in the message, a quoted one as it stands, `-` before a term means it must
 * not be, terms with `?` are any-of.
 *
 * Source: CloudWatch Logs user guide, "Filter pattern syntax". Patterns of JSON and of columns are refused by name.
 */
import { ServiceError } from '../aws/service.ts';

/** @throws ServiceError InvalidParameterException */
export function filterPattern(pattern: string): (message: string) => boolean {
  if (/^\s*[{[%]/.test(pattern)) {
    throw new ServiceError(
      'InvalidParameterException',
      `The rehearsal reads filter patterns of terms alone, not ${pattern}`,
    );
  }
  const terms = [...pattern.matchAll(/([?-]?)(?:"([^"]*)"|(\S+))/g)].map(([, sign = '', quoted, plain = '']) => ({
    sign,
    text: quoted ?? plain,
  }));
  const optional = terms.filter(({ sign }) => sign === '?');
  return (message) =>
    terms.every(({ sign, text }) => sign === '?' || message.includes(text) === (sign === '')) &&
    (optional.length === 0 || optional.some(({ text }) => message.includes(text)));
}
