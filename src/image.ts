import ecr = require('aws-cdk-lib/aws-ecr');
import assets = require('aws-cdk-lib/aws-ecr-assets');
import { Construct } from 'constructs';
import { fail } from './validation';

/** An image by repository and tag, which both charts expect separately. */
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
   * @param tag the tag, such as `3.3.2`; `latest` is refused when the image is used
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
   * @param tag the tag; `latest` is refused when the image is used
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
  public _bind(scope: Construct): ImageReference {
    const image = this.resolve(scope);
    if (!image.tag || image.tag === 'latest') {
      fail(scope, `'image' must have a tag that identifies one version, got '${image.tag}'; use a tag such as '3.3.2'`);
    }
    return image;
  }
}
