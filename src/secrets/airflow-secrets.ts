import { RemovalPolicy } from 'aws-cdk-lib';
import secretsmanager = require('aws-cdk-lib/aws-secretsmanager');
import { Construct } from 'constructs';
import { AirflowSecret, secretOf } from './airflow-secret';
import { fail } from '../validation';

/**
 * The keys and passwords that Airflow itself needs.
 *
 * A generated one has 32 letters and digits. The generated ones are retained when the stack is deleted.
 */
export interface AirflowSecretsOptions {
  /**
   * The Fernet key, which encrypts connections and variables in the database.
   *
   * The value is a Fernet key, or 32 letters and digits, which are encoded as a Fernet key. In a Kubernetes Secret of your own, it must be a Fernet
   * key, with the official chart under the key `fernet-key`.
   *
   * To rotate the key, set the secret to `new,old`, restart the pods, run `airflow rotate-fernet-key`, and remove the old key.
   *
   * @default - generated, and retained: without the key, nobody can read the encrypted values in the database
   * @see https://airflow.apache.org/docs/apache-airflow/stable/security/secrets/fernet.html
   */
  readonly fernetKey?: AirflowSecret;

  /**
   * The key that signs the sessions of the web UI.
   *
   * In a Kubernetes Secret of your own, it must have the key `api-secret-key` (official chart, Airflow 3) or `webserver-secret-key` (official
   * chart, Airflow 2.11). A new value ends all sessions.
   *
   * @default - generated
   */
  readonly apiSecretKey?: AirflowSecret;

  /**
   * The key that signs the tokens with which the tasks of Airflow 3 call its API.
   *
   * It has no effect with Airflow 2. In a Kubernetes Secret of your own, it must have the key `jwt-secret`.
   *
   * @default - generated for Airflow 3
   */
  readonly jwtSecret?: AirflowSecret;

  /**
   * The password with which Airflow connects to PgBouncer and to the in-cluster database.
   *
   * A new value takes effect when the pods of the database and of Airflow restart. With the official chart, it must be in AWS Secrets Manager.
   *
   * @default - generated
   */
  readonly databasePassword?: AirflowSecret;

  /**
   * The password of the broker that the library creates.
   *
   * It must be in AWS Secrets Manager. For Amazon ElastiCache, it must have 16 to 128 characters. Not together with `CeleryBroker.fromUrl()`, whose
   * URL contains the password.
   *
   * @default - generated, unless `broker` is an existing one
   */
  readonly brokerPassword?: AirflowSecret;

  /**
   * The password of the Flower user `airflow`.
   *
   * A Kubernetes Secret of your own must contain `airflow:<password>`, with the official chart under the key `basicAuth`.
   *
   * @default - generated for executors with Celery workers
   */
  readonly flowerPassword?: AirflowSecret;
}

/**
 * The keys and passwords of an Airflow deployment in AWS Secrets Manager.
 *
 * Read a value with `aws secretsmanager get-secret-value --secret-id ARN`.
 */
export interface IAirflowSecrets {
  /**
   * The key that encrypts connections and variables in the database.
   *
   * Undefined if it is a Kubernetes Secret.
   */
  readonly fernetKey?: secretsmanager.ISecret;

  /**
   * The key that signs the sessions of the web UI.
   *
   * Undefined if it is a Kubernetes Secret.
   */
  readonly apiSecretKey?: secretsmanager.ISecret;

  /**
   * The key that signs the tokens with which the tasks of Airflow 3 call its API.
   *
   * Undefined for Airflow 2, and if it is a Kubernetes Secret.
   */
  readonly jwtSecret?: secretsmanager.ISecret;

  /**
   * The password of the in-cluster database.
   *
   * Undefined if it is a Kubernetes Secret.
   */
  readonly databasePassword?: secretsmanager.ISecret;

  /**
   * The password of the broker that the library creates.
   *
   * Undefined without Celery workers, and if `broker` is an existing one.
   */
  readonly brokerPassword?: secretsmanager.ISecret;

  /**
   * The password of the Flower user `airflow`.
   *
   * Undefined without Celery workers, and if it is a Kubernetes Secret.
   */
  readonly flowerPassword?: secretsmanager.ISecret;

  /**
   * The generated passwords of users, by user name.
   *
   * It does not contain users with a `password` of their own.
   */
  readonly userPasswords: { [username: string]: secretsmanager.ISecret };
}

/** The values of all keys and passwords, for the chart. */
export interface AirflowSecretValues {
  readonly fernetKey: AirflowSecret;
  readonly apiSecretKey: AirflowSecret;
  readonly databasePassword: AirflowSecret;
  /** Set if tasks call Airflow's API. */
  readonly jwtSecret?: AirflowSecret;
  /** Set with Flower. */
  readonly flowerPassword?: AirflowSecret;
  /** The passwords of all users, by user name. */
  readonly passwords: Record<string, AirflowSecret>;
}

interface AirflowSecretsProps extends AirflowSecretsOptions {
  /** The namespace of the deployment, for descriptions. */
  readonly namespace: string;
  /** Whether the deployment has Flower. */
  readonly flower: boolean;
  /** Whether tasks call Airflow's API, as in Airflow 3. */
  readonly taskApi: boolean;
  readonly users: { readonly username: string; readonly password?: AirflowSecret }[];
}

/** Generates the keys and passwords that the user does not provide. Generated secrets are retained when the stack is deleted. */
export class AirflowSecrets extends Construct implements IAirflowSecrets {
  public readonly fernetKey?: secretsmanager.ISecret;
  public readonly apiSecretKey?: secretsmanager.ISecret;
  public readonly jwtSecret?: secretsmanager.ISecret;
  public readonly databasePassword?: secretsmanager.ISecret;
  public brokerPassword?: secretsmanager.ISecret;
  public readonly flowerPassword?: secretsmanager.ISecret;
  public readonly userPasswords: { [username: string]: secretsmanager.ISecret } = {};
  public readonly values: AirflowSecretValues;

  constructor(scope: Construct, id: string, private readonly props: AirflowSecretsProps) {
    super(scope, id);

    if (props.flowerPassword && !props.flower) {
      fail(scope, "'secrets.flowerPassword' has no effect with an executor without Celery workers, which has no Flower; remove it");
    }
    this.values = {
      passwords: this.passwords(),
      fernetKey: props.fernetKey ?? this.generated('FernetKey', 'Fernet key'),
      apiSecretKey: props.apiSecretKey ?? this.generated('ApiSecretKey', 'Key that signs the web sessions'),
      databasePassword: props.databasePassword ?? this.generated('DatabasePassword', 'Database password'),
      jwtSecret: props.taskApi ? props.jwtSecret ?? this.generated('JwtSecret', 'Key that signs the task tokens') : undefined,
      flowerPassword: props.flower ? props.flowerPassword ?? this.generated('FlowerPassword', 'Flower password') : undefined,
    };

    this.fernetKey = secretOf(this.values.fernetKey);
    this.apiSecretKey = secretOf(this.values.apiSecretKey);
    this.jwtSecret = secretOf(this.values.jwtSecret);
    this.databasePassword = secretOf(this.values.databasePassword);
    this.flowerPassword = secretOf(this.values.flowerPassword);
  }

  /** The password of a broker that the library creates. */
  public createBrokerPassword(): AirflowSecret {
    const password = this.props.brokerPassword ?? this.generated('BrokerPassword', 'Broker password');
    this.brokerPassword = secretOf(password);
    return password;
  }

  private passwords(): Record<string, AirflowSecret> {
    return Object.fromEntries(this.props.users.map(({ username, password }) => {
      if (password !== undefined) {
        return [username, password];
      }
      this.userPasswords[username] = this.generate(`Password-${username}`, `Password of the user '${username}'`);
      return [username, AirflowSecret.fromSecretsManager(this.userPasswords[username])];
    }));
  }

  private generated(id: string, purpose: string): AirflowSecret {
    return AirflowSecret.fromSecretsManager(this.generate(id, purpose));
  }

  /** 32 letters and digits: valid in a URL and in a shell, and as the bytes of a Fernet key. */
  private generate(id: string, purpose: string): secretsmanager.Secret {
    return new secretsmanager.Secret(this, id, {
      description: `${purpose} of the Airflow deployment '${this.props.namespace}'`,
      generateSecretString: { passwordLength: 32, excludePunctuation: true },
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, // a first deployment that fails leaves nothing behind
    });
  }
}
