import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import secretsmanager = require('aws-cdk-lib/aws-secretsmanager');
import { Construct, IDependable } from 'constructs';
import { applyManifest, KubernetesObject, serviceAccountRole } from './cluster';
import { checkFormat, fail } from './errors';
import { ExternalSecrets, ExternalSecretsSetup } from './external-secrets';
import { EXTERNAL_SECRETS_API } from './versions';

/**
 * A secret value, by the place where it is kept. The value itself is never seen by the CDK app, the template or the Helm release.
 */
export class AirflowSecret {
  /**
   * A secret in AWS Secrets Manager, whole or one field of its JSON.
   *
   * The External Secrets operator copies it into the cluster, and again every hour.
   *
   * @param secret the secret; its KMS key, if it has one of its own, is granted for decryption
   * @param field the name of the JSON field; without it, the whole string is the value
   */
  public static fromSecretsManager(secret: secretsmanager.ISecret, field?: string): AirflowSecret {
    return new AirflowSecret({ secret, field }, undefined);
  }

  /**
   * A key of a Kubernetes Secret that exists in Airflow's namespace.
   *
   * @param name the name of the Secret
   * @param key the key in its `data`
   */
  public static fromKubernetesSecret(name: string, key: string): AirflowSecret {
    return new AirflowSecret(undefined, { name, key });
  }

  private constructor(
    /** @internal */
    public readonly _remote: { readonly secret: secretsmanager.ISecret; readonly field?: string } | undefined,
    /** @internal */
    public readonly _local: SecretKeyRef | undefined,
  ) {}
}

/** A key of a Kubernetes Secret, as pods refer to it. */
export interface SecretKeyRef {
  readonly name: string;
  readonly key: string;
}

/**
 * The Kubernetes Secrets of a release: a chart asks for each key while it writes its values, and learns where to find it.
 */
export class SecretBook {
  /** What the operator has to write: Secret name, key, and the Go template that makes the value from the variables. */
  public readonly targets = new Map<string, Map<string, string>>();
  public readonly variables = new Map<AirflowSecret, string>();

  constructor(public readonly scope: Construct) {}

  /** One secret under one key; where the user keeps it, if it is a Kubernetes Secret already. */
  public ref(prop: string, target: SecretKeyRef, secret: AirflowSecret, template?: (variable: string) => string): SecretKeyRef {
    this.check(prop, secret);
    if (secret._local) {
      return secret._local;
    }
    const write = template ?? ((variable) => `{{ .${variable} }}`);
    return this.write(target, write(this.variable(secret)));
  }

  /** As `ref`, for a chart that reads the secret under the names of `target` only. */
  public fixed(prop: string, target: SecretKeyRef, secret: AirflowSecret, template?: (variable: string) => string): SecretKeyRef {
    const found = this.ref(prop, target, secret, template);
    if (found.key !== target.key) {
      fail(this.scope, `'${prop}' must have the key '${target.key}' in its Kubernetes Secret,`
        + ` which is the only one that the chart reads, got '${found.key}'`);
    }
    return found;
  }

  /** Fails unless a chart that reads several keys of one Secret finds them there. */
  public checkTogether(refs: Record<string, SecretKeyRef>): void {
    const names = [...new Set(Object.values(refs).map(({ name }) => name))];
    if (names.length > 1) {
      fail(this.scope, `${Object.keys(refs).map((prop) => `'${prop}'`).join(' and ')} must be in one Kubernetes Secret,`
        + ` got ${names.map((name) => `'${name}'`).join(' and ')}; keep both in it, or both in AWS Secrets Manager`);
    }
  }

  /** One key made of several secrets, which therefore have to pass through the operator. */
  public composed(
    target: SecretKeyRef, secrets: Record<string, AirflowSecret>, template: (variables: Record<string, string>) => string,
  ): SecretKeyRef {
    const variables = Object.fromEntries(Object.entries(secrets).map(([prop, secret]) => {
      this.check(prop, secret);
      if (secret._local) {
        fail(this.scope, `'${prop}' is the Kubernetes Secret '${secret._local.name}', but this chart needs it inside '${target.name}';`
          + ' keep it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()');
      }
      return [prop, this.variable(secret)];
    }));
    return this.write(target, template(variables));
  }

  private write(target: SecretKeyRef, template: string): SecretKeyRef {
    const keys = this.targets.get(target.name) ?? new Map<string, string>();
    if ((keys.get(target.key) ?? template) !== template) {
      fail(this.scope, `the key '${target.key}' of Secret '${target.name}' has two meanings; rename one of the user, the connection or the extra secret`);
    }
    this.targets.set(target.name, keys.set(target.key, template));
    return target;
  }

  private variable(secret: AirflowSecret): string {
    const variable = this.variables.get(secret) ?? `secret${this.variables.size}`;
    this.variables.set(secret, variable);
    return variable;
  }

  private check(prop: string, secret: unknown): void {
    if (!(secret instanceof AirflowSecret)) {
      fail(this.scope, `'${prop}' must be an AirflowSecret, not a value in plain text; use AirflowSecret.fromSecretsManager()`);
    }
    const field = secret._local?.key;
    if (field !== undefined) {
      checkFormat(this.scope, prop, field, /^[-._a-zA-Z0-9]+$/, 'a key of a Kubernetes Secret');
    }
  }
}

/**
 * The keys and passwords that Airflow itself needs.
 */
export interface AirflowSecretsOptions {
  /**
   * The key that encrypts connections and variables in the database: a Fernet key, or 32 letters and digits, which are made into one.
   *
   * To rotate it, put `new,old` there, restart Airflow, run `airflow rotate-fernet-key`, and take the old one away.
   *
   * @default - generated, and retained: without it nobody can read what the database holds
   * @see https://airflow.apache.org/docs/apache-airflow/stable/security/secrets/fernet.html
   */
  readonly fernetKey?: AirflowSecret;

  /**
   * The key that signs the sessions of the web UI.
   *
   * @default - generated
   */
  readonly webserverSecretKey?: AirflowSecret;

  /**
   * The key that signs the tokens by which the tasks of Airflow 3 call its API.
   *
   * @default - generated for Airflow 3
   */
  readonly jwtSecret?: AirflowSecret;

  /**
   * The password of the embedded PostgreSQL. PostgreSQL takes it when its volume is new, and ignores later changes.
   *
   * @default - generated
   */
  readonly databasePassword?: AirflowSecret;

  /**
   * The password of the embedded Redis. It must not contain a `/`.
   *
   * @default - generated for executors with Celery workers
   */
  readonly redisPassword?: AirflowSecret;

  /**
   * The password of the user `airflow` of flower.
   *
   * @default - generated for executors with Celery workers
   */
  readonly flowerPassword?: AirflowSecret;
}

/**
 * Properties of `AirflowSecrets`.
 */
export interface AirflowSecretsProps extends AirflowSecretsOptions {
  /**
   * The cluster that the secrets are copied into.
   */
  readonly cluster: eks.ICluster | eksv2.ICluster;

  /**
   * The namespace of the Kubernetes Secrets.
   */
  readonly namespace: string;

  /**
   * Whether there are Celery workers, which need a Redis.
   */
  readonly celery: boolean;

  /**
   * Whether tasks call Airflow's API, as in Airflow 3.
   */
  readonly taskApi: boolean;

  /**
   * The names of the users whose passwords are generated.
   *
   * @default - none
   */
  readonly usernames?: string[];

  /**
   * Who brings the External Secrets operator.
   *
   * @default ExternalSecretsSetup.INSTALL
   */
  readonly externalSecrets?: ExternalSecretsSetup;
}

/** What a chart is told: each value by the place where it is kept. */
export interface AirflowSecretValues {
  readonly fernetKey: AirflowSecret;
  readonly webserverSecretKey: AirflowSecret;
  readonly databasePassword: AirflowSecret;
  readonly jwtSecret?: AirflowSecret;
  readonly redisPassword?: AirflowSecret;
  readonly flowerPassword?: AirflowSecret;
  readonly passwords: Record<string, AirflowSecret>;
}

/**
 * The keys and passwords of one Airflow, in AWS Secrets Manager, and their way into the cluster.
 *
 * All that is generated is retained when the stack goes.
 */
export class AirflowSecrets extends Construct {
  /**
   * The key that encrypts connections and variables.
   *
   * Undefined if it is a Kubernetes Secret.
   */
  public readonly fernetKey?: secretsmanager.ISecret;

  /**
   * The key that signs the sessions of the web UI.
   *
   * Undefined if it is a Kubernetes Secret.
   */
  public readonly webserverSecretKey?: secretsmanager.ISecret;

  /**
   * The key that signs the tokens of tasks.
   *
   * Undefined for Airflow 2, and if it is a Kubernetes Secret.
   */
  public readonly jwtSecret?: secretsmanager.ISecret;

  /**
   * The password of the embedded PostgreSQL.
   *
   * Undefined if it is a Kubernetes Secret.
   */
  public readonly databasePassword?: secretsmanager.ISecret;

  /**
   * The password of the embedded Redis.
   *
   * Undefined without Celery workers, and if it is a Kubernetes Secret.
   */
  public readonly redisPassword?: secretsmanager.ISecret;

  /**
   * The password of flower's user `airflow`.
   *
   * Undefined without Celery workers, and if it is a Kubernetes Secret.
   */
  public readonly flowerPassword?: secretsmanager.ISecret;

  /**
   * The generated passwords of users, by user name.
   */
  public readonly userPasswords: { [username: string]: secretsmanager.ISecret } = {};

  /** @internal */
  public readonly _values: AirflowSecretValues;

  constructor(scope: Construct, id: string, private readonly props: AirflowSecretsProps) {
    super(scope, id);

    const optional = (needed: boolean, ...args: Parameters<AirflowSecrets['generated']>) => needed ? this.generated(...args) : undefined;
    for (const username of props.usernames ?? []) {
      this.userPasswords[username] = this.generate(`Password-${username}`, `Password of ${username} in Airflow`);
    }
    this._values = {
      fernetKey: this.generated('FernetKey', 'Encrypts the connections and variables of Airflow', props.fernetKey),
      webserverSecretKey: this.generated('WebserverSecretKey', 'Signs the sessions of Airflow', props.webserverSecretKey),
      databasePassword: this.generated('DatabasePassword', 'Password of the database of Airflow', props.databasePassword),
      jwtSecret: optional(props.taskApi, 'JwtSecret', 'Signs the tokens of the tasks of Airflow', props.jwtSecret),
      redisPassword: optional(props.celery, 'RedisPassword', 'Password of the Redis of Airflow', props.redisPassword),
      flowerPassword: optional(props.celery, 'FlowerPassword', 'Password of the user airflow of the flower of Airflow', props.flowerPassword),
      passwords: Object.fromEntries(Object.entries(this.userPasswords)
        .map(([username, secret]) => [username, AirflowSecret.fromSecretsManager(secret)])),
    };

    this.fernetKey = this._values.fernetKey._remote?.secret;
    this.webserverSecretKey = this._values.webserverSecretKey._remote?.secret;
    this.databasePassword = this._values.databasePassword._remote?.secret;
    this.jwtSecret = this._values.jwtSecret?._remote?.secret;
    this.redisPassword = this._values.redisPassword?._remote?.secret;
    this.flowerPassword = this._values.flowerPassword?._remote?.secret;
  }

  private generated(id: string, description: string, given?: AirflowSecret): AirflowSecret {
    return given ?? AirflowSecret.fromSecretsManager(this.generate(id, description));
  }

  /** 32 letters and digits: safe in a URL, in a shell, and as the bytes of a Fernet key. */
  private generate(id: string, description: string): secretsmanager.Secret {
    return new secretsmanager.Secret(this, id, {
      description,
      generateSecretString: { passwordLength: 32, excludePunctuation: true },
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  /**
   * Has the operator write what the book holds, in one manifest.
   *
   * @internal
   */
  public _write(book: SecretBook, namespace: IDependable): Construct | undefined {
    if (book.targets.size === 0) {
      return undefined;
    }
    const { cluster } = this.props;
    const name = `${this.props.namespace}-external-secrets`;
    const role = serviceAccountRole(this, 'Role', {
      cluster,
      namespace: this.props.namespace,
      serviceAccount: name,
      description: 'Reads the secrets of Airflow',
    });
    for (const { _remote } of book.variables.keys()) {
      _remote!.secret.grantRead(role);
    }
    const manifest = applyManifest(this, 'Manifest', cluster, [
      this.object('v1', 'ServiceAccount', name, { metadata: { annotations: { 'eks.amazonaws.com/role-arn': role.roleArn } } }),
      this.object(EXTERNAL_SECRETS_API, 'SecretStore', name, {
        spec: {
          provider: {
            aws: { service: 'SecretsManager', region: Stack.of(this).region, auth: { jwt: { serviceAccountRef: { name } } } },
          },
        },
      }),
      ...[...book.targets].map(([target, templates]) => this.externalSecret(target, templates, book.variables, name)),
    ]);
    manifest.node.addDependency(namespace, role.node.findChild('DefaultPolicy'));
    if (this.props.externalSecrets !== ExternalSecretsSetup.EXISTING) {
      manifest.node.addDependency(ExternalSecrets.forCluster({ cluster })); // knows the kinds, and on delete lets them go
    }
    return manifest;
  }

  private externalSecret(target: string, templates: Map<string, string>, variables: SecretBook['variables'], store: string): KubernetesObject {
    const text = [...templates.values()].join();
    const used = [...variables].filter(([, variable]) => new RegExp(`\\b${variable}\\b`).test(text));
    return this.object(EXTERNAL_SECRETS_API, 'ExternalSecret', target, {
      spec: {
        refreshInterval: '1h',
        secretStoreRef: { kind: 'SecretStore', name: store },
        target: { name: target, template: { engineVersion: 'v2', data: Object.fromEntries(templates) } },
        data: used.map(([{ _remote }, secretKey]) => ({
          secretKey,
          remoteRef: { key: _remote!.secret.secretFullArn ?? _remote!.secret.secretName, property: _remote!.field },
        })),
      },
    });
  }

  private object(apiVersion: string, kind: string, name: string, { metadata, ...rest }: KubernetesObject): KubernetesObject {
    return { apiVersion, kind, metadata: { name, namespace: this.props.namespace, ...metadata }, ...rest };
  }
}
