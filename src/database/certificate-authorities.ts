import { X509Certificate } from 'crypto';
import { Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { asset } from '../assets';
import { checkNoSecret } from '../config/plain-text';
import { checkFormat, fail } from '../validation';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The authorities that the user specifies, or those of Amazon RDS. */
export function authoritiesOf(scope: Construct, authorities?: string): string {
  if (authorities === undefined) {
    return rdsAuthorities(scope);
  }
  checkFormat(scope, 'database.certificateAuthorities', authorities, /-----BEGIN CERTIFICATE-----/, 'certificates in PEM format, not the name of a file');
  checkNoSecret(scope, 'database', { certificateAuthorities: authorities }); // such as the private key in the same file
  return authorities;
}

/**
 * The authorities that sign the certificates of Amazon RDS and Aurora in the Region of a scope, or in all if only CloudFormation knows it.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 */
export function rdsAuthorities(scope: Construct): string {
  const all = asset('rds-authorities.pem');
  const { region } = Stack.of(scope);
  if (Token.isUnresolved(region)) {
    return all;
  }
  const certificates = (all.match(CERTIFICATE) ?? []).filter((certificate) => new X509Certificate(certificate).subject.includes(` ${region} `));
  if (certificates.length === 0) {
    fail(scope, `'database.certificateAuthorities' is required in ${region}, whose certificates the library does not have; read them from the file`
      + ` https://truststore.pki.rds.amazonaws.com/${region}/${region}-bundle.pem`);
  }
  return `${certificates.join('\n')}\n`;
}
