import ecr = require('aws-cdk-lib/aws-ecr');
import assets = require('aws-cdk-lib/aws-ecr-assets');
import { Construct } from 'constructs';
import { fail } from './errors';

/** An image by its two halves, as both charts want it. */
export interface ImageReference {
  readonly repository: string;
  readonly tag: string;
}

/**
 * The container image of Airflow, with the Python packages that the DAGs need.
 */
export class AirflowImage {
  /**
   * An image in a registry that the nodes can pull from without credentials.
   *
   * @param repository the registry and the repository, such as `apache/airflow`
   * @param tag the tag, such as `2.8.4-python3.9`
   */
  public static fromRegistry(repository: string, tag: string): AirflowImage {
    return new AirflowImage(() => ({ repository, tag }));
  }

  /**
   * An image in Amazon ECR.
   *
   * @param repository the repository; in another account, its policy must let the nodes' account pull
   * @param tag the tag
   */
  public static fromEcrRepository(repository: ecr.IRepository, tag: string): AirflowImage {
    return new AirflowImage(() => ({ repository: repository.repositoryUri, tag }));
  }

  /**
   * An image that `cdk deploy` builds with Docker and pushes.
   *
   * @param directory the directory with the Dockerfile, which starts `FROM apache/airflow:...`
   * @param options how to build, such as the platform of Graviton nodes
   */
  public static fromAsset(directory: string, options: assets.DockerImageAssetOptions = {}): AirflowImage {
    return new AirflowImage((scope) => {
      const asset = new assets.DockerImageAsset(scope, 'Image', { directory, ...options });
      return { repository: asset.repository.repositoryUri, tag: asset.imageTag };
    });
  }

  private constructor(private readonly bind: (scope: Construct) => ImageReference) {}

  /** @internal */
  public _bind(scope: Construct): ImageReference {
    const image = this.bind(scope);
    if (!image.tag || image.tag === 'latest') {
      fail(scope, `'image' must have a tag that stays the same image, got '${image.tag}'; name a version`);
    }
    return image;
  }
}
