import { X509Certificate } from 'crypto';
import { Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { asset } from '../assets';
import { checkNoSecret } from '../config/plain-text';
import { checkFormat, fail } from '../validation';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The authorities that the user specifies, or those of Amazon RDS, with one algorithm if given. */
export function authoritiesOf(scope: Construct, authorities?: string, algorithm?: string): string {
  if (authorities === undefined) {
    return rdsAuthorities(scope, algorithm);
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
export function rdsAuthorities(scope: Construct, algorithm = ''): string {
  const { region } = Stack.of(scope);
  const inRegion = Token.isUnresolved(region) ? '' : ` ${region} `;
  const certificates = (asset('rds-authorities.pem').match(CERTIFICATE) ?? [])
    .filter((certificate) => [inRegion, algorithm].every((part) => new X509Certificate(certificate).subject.includes(part)));
  if (certificates.length === 0) {
    fail(scope, `'database.certificateAuthorities' is required in ${region}, whose certificates the library does not have; read them from the file`
      + ` ${truststoreOf(region)}/${region}/${region}-bundle.pem`);
  }
  return `${certificates.join('\n')}\n`;
}

/** Each partition has one of its own. */
function truststoreOf(region: string): string {
  return region.startsWith('cn-') ? 'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn'
    : `https://truststore.pki.${region.startsWith('us-gov-') ? 'us-gov-west-1.' : ''}rds.amazonaws.com`;
}
