// A typical Airflow, by this library.
const { AirflowChart, AirflowOnEks, AirflowSecret, GitAuth } = require('../..');
const { synthesize } = require('../cluster');

synthesize((stack, { cluster, deployKey, certificate }) => {
  new AirflowOnEks(stack, 'Airflow', {
    cluster,
    chart: AirflowChart.community(), // as the floor
    gitSync: {
      repository: 'git@github.com:example/dags.git',
      auth: GitAuth.ssh({ privateKey: AirflowSecret.fromSecretsManager(deployKey) }),
    },
    ingress: { host: 'airflow.example.com', certificate },
  });
});
