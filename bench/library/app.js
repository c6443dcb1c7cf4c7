// A typical Airflow, by this library.
const { AirflowOnEks, AirflowSecret, GitAuth } = require('../..');
const { synthesize } = require('../cluster');

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
