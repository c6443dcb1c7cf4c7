import { Annotations, Token } from 'aws-cdk-lib';
import ecr = require('aws-cdk-lib/aws-ecr');
import assets = require('aws-cdk-lib/aws-ecr-assets');
import { Construct } from 'constructs';
import { checkFormat, fail } from './validation';

/** @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
const REPOSITORY = /^[a-z0-9][a-z0-9.-]*(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;

/** An image by repository and tag, which both charts and Airflow join with a colon. A digest is joined so too: `airflow@sha256` and `0a1b...`. */
export interface ImageReference {
  readonly repository: string;
  readonly tag: string;
}

/**
 * The container image of Airflow, with the Python packages that the DAGs need.
 *
 * @see https://airflow.apache.org/docs/docker-stack/build.html
 * @example
 * const image = AirflowImage.fromAsset('./airflow'); // a directory with a Dockerfile
 */
export class AirflowImage {
  /**
   * An image in a registry from which the nodes can pull without credentials.
   *
   * @param repository the registry and the repository, such as `quay.io/example/airflow`; without a registry, Docker Hub
   * @param tag the tag, such as `3.3.2`, or the digest, which begins with `sha256:`; `latest` is refused when the image is used
   */
  public static fromRegistry(repository: string, tag: string): AirflowImage {
    return new AirflowImage(() => ({ repository, tag }));
  }

  /**
   * An image in a repository of Amazon ECR.
   *
   * Nodes that the library creates can pull from all repositories of their account. The policy of a repository in another account must allow the
   * account of the nodes to pull.
   *
   * @param repository the repository
   * @param tag the tag, or the digest, which begins with `sha256:`; `latest` is refused when the image is used
   */
  public static fromEcrRepository(repository: ecr.IRepository, tag: string): AirflowImage {
    return new AirflowImage(() => ({ repository: repository.repositoryUri, tag }));
  }

  /**
   * An image that `cdk deploy` builds with Docker and pushes to Amazon ECR.
   *
   * It must be built for the CPU architecture of the nodes. By default, Docker builds for that of the machine on which `cdk deploy` runs.
   *
   * @param directory the directory of the Dockerfile, which starts with `FROM apache/airflow:...`
   * @param options build options, such as `platform`
   */
  public static fromAsset(directory: string, options: assets.DockerImageAssetOptions = {}): AirflowImage {
    return new AirflowImage((scope) => {
      const asset = new assets.DockerImageAsset(scope, 'Image', { directory, ...options });
      return { repository: asset.repository.repositoryUri, tag: asset.imageTag };
    });
  }

  private constructor(private readonly resolve: (scope: Construct) => ImageReference) {}

  /** @internal */
  public _bind(scope: Construct, airflowVersion: string): ImageReference {
    const image = this.resolve(scope);
    const { repository, tag } = image;
    if (!tag || tag === 'latest') {
      fail(scope, `'image' must have a tag that identifies one version, got '${tag}'; use a tag such as '3.3.2'`);
    }
    checkFormat(scope, 'image', repository, REPOSITORY, 'a repository without a scheme and a tag, which is an argument of its own');
    if (tag.startsWith('sha256:')) {
      checkFormat(scope, 'image', tag, /^sha256:[0-9a-f]{64}$/, "a digest of 'sha256:' and 64 hexadecimal digits");
      return { repository: `${repository}@sha256`, tag: tag.slice('sha256:'.length) };
    }
    checkFormat(scope, 'image', tag, TAG, 'a tag of at most 128 letters, digits, and _ . - inside');
    checkVersion(scope, image, airflowVersion);
    return image;
  }
}

/** The tag of an image of the Airflow project says which version the image contains. That of another image may count something else. */
function checkVersion(scope: Construct, { repository, tag }: ImageReference, airflowVersion: string): void {
  const version = Token.isUnresolved(tag) ? undefined : /^[23]\.\d+\.\d+/.exec(tag)?.[0];
  if (version === undefined || version === airflowVersion) {
    return;
  }
  if (/(^|\/)apache\/airflow$/.test(repository)) {
    fail(scope, `'image' must contain the Airflow version of 'chart' (${airflowVersion}), got the tag '${tag}'; set 'airflowVersion' of 'chart' to '${version}'`);
  }
  Annotations.of(scope).addWarningV2('airflow-on-eks:imageVersion',
    `The tag '${tag}' of 'image' looks like another Airflow version than that of 'chart' (${airflowVersion}); set 'airflowVersion' of 'chart' to the version in the image`);
}
