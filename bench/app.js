// A typical Airflow deployment. It uses only props that all measured checkouts have.
const { load, synthesize } = require('./cluster');
const { AirflowOnEks, AirflowSecret, GitAuth } = load('.');

synthesize((stack, { cluster, deployKey, certificate }) => {
  new AirflowOnEks(stack, 'Airflow', {
    cluster,
    gitSync: {
      repository: 'git@github.com:example/dags.git',
      auth: GitAuth.ssh({ privateKey: AirflowSecret.fromSecretsManager(deployKey) }),
    },
    ingress: { host: 'airflow.example.com', certificate },
  });
});
