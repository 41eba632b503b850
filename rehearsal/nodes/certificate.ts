/**
 * A self-signed certificate for SSL listeners, made for the run. Node.js has no maker of certificates, and the host need not
 * have OpenSSL's command: these are the few DER structures of X.509 (RFC 5280, 4.1) that it takes.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

const OID = {
  commonName: [0x55, 0x04, 0x03],
  subjectAlternativeName: [0x55, 0x1d, 0x11],
  basicConstraints: [0x55, 0x1d, 0x13],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
};

/** @param names  at least one; IPv4 addresses become addresses, everything else host names @param days  from yesterday on */
export function createCertificate(names: readonly string[], now: Date = new Date(), days = 30): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = sequence(objectIdentifier(OID.ecdsaWithSha256));
  const name = sequence(set(sequence(objectIdentifier(OID.commonName), der(0x0c, Buffer.from('proxyflip rehearsal')))));
  // A day back, for machines whose clock is a little behind.
  const notBefore = new Date(now.getTime() - 86_400_000);
  const notAfter = new Date(notBefore.getTime() + days * 86_400_000);
  const alternatives = names.map((each) =>
    /^\d+(\.\d+){3}$/.test(each) ? der(0x87, Buffer.from(each.split('.').map(Number))) : der(0x82, Buffer.from(each)),
  );
  const extensions = sequence(
    // cA: clients take a self-signed certificate as their root only if it may sign.
    sequence(
      objectIdentifier(OID.basicConstraints),
      der(0x01, Buffer.from([0xff])),
      octets(sequence(der(0x01, Buffer.from([0xff])))),
    ),
    sequence(objectIdentifier(OID.subjectAlternativeName), octets(sequence(...alternatives))),
  );
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])), // serial number, positive
    algorithm,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', toBeSigned, privateKey)]));
  return {
    certificatePem: pem('CERTIFICATE', sequence(toBeSigned, algorithm, signature)),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  // Lengths under 128 are one byte; longer ones say first how many bytes the length takes.
  const bytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), content]);
}
const sequence = (...items: Buffer[]) => der(0x30, Buffer.concat(items));
const set = (item: Buffer) => der(0x31, item);
const octets = (item: Buffer) => der(0x04, item);
const objectIdentifier = (bytes: readonly number[]) => der(0x06, Buffer.from(bytes));
/** UTCTime, YYMMDDHHMMSSZ: what RFC 5280 wants until 2049. */
const time = (date: Date) =>
  der(
    0x17,
    Buffer.from(
      `${date
        .toISOString()
        .replace(/[-:T]|\.\d+/g, '')
        .slice(2)}`,
    ),
  );

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
