// Self-signed certificates for the tests of TLS, written by hand in DER (X.509, RFC 5280): no tool and no key to keep.
import { generateKeyPairSync, sign } from 'node:crypto';

export interface CertificateOptions {
  dnsName: string;
  /** Default: in a day. */
  validUntil?: Date;
}

const DAY_MS = 86_400_000;

export function selfSigned(options: CertificateOptions): { key: string; cert: string } {
  const { dnsName, validUntil = new Date(Date.now() + DAY_MS) } = options;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(element(0x31, sequence(OID.commonName, element(0x0c, Buffer.from(dnsName)))));
  const altName = sequence(OID.subjectAltName, element(0x04, sequence(element(0x82, Buffer.from(dnsName)))));
  const signedPart = sequence(
    element(0xa0, integer(2)),
    integer(1),
    sequence(OID.ecdsaWithSha256),
    name,
    sequence(time(new Date(validUntil.getTime() - 2 * DAY_MS)), time(validUntil)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(altName)),
  );
  const signature = element(0x03, Buffer.concat([Buffer.of(0), sign('sha256', signedPart, privateKey)]));
  const certificate = sequence(signedPart, sequence(OID.ecdsaWithSha256), signature);
  const lines = certificate.toString('base64').replaceAll(/.{64}/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

function element(tag: number, ...content: Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  const long = Buffer.of(0x82, bytes.length >> 8, bytes.length & 255);
  return Buffer.concat([Buffer.of(tag), bytes.length < 128 ? Buffer.of(bytes.length) : long, bytes]);
}

const sequence = (...content: Buffer[]): Buffer => element(0x30, ...content);
const integer = (value: number): Buffer => element(0x02, Buffer.of(value));
/** UTCTime, to the second. */
const time = (at: Date): Buffer =>
  element(0x17, Buffer.from(`${at.toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`));

const OID = {
  commonName: Buffer.from('0603550403', 'hex'),
  subjectAltName: Buffer.from('0603551d11', 'hex'),
  ecdsaWithSha256: Buffer.from('06082a8648ce3d040302', 'hex'),
};
