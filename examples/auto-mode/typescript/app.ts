import { KubectlV36Layer } from '@aws-cdk/lambda-layer-kubectl-v36';
import { AirflowOnEks } from 'airflow-on-eks';
import { App, Stack } from 'aws-cdk-lib';
import * as eks from 'aws-cdk-lib/aws-eks-v2';

const app = new App();
const stack = new Stack(app, 'AirflowAutoMode');

// A cluster in EKS Auto Mode, which creates nodes when pods need them, and load balancers for Ingresses.
const cluster = new eks.Cluster(stack, 'Cluster', {
  version: eks.KubernetesVersion.of('1.36'),
  kubectlProviderOptions: { kubectlLayer: new KubectlV36Layer(stack, 'Kubectl') },
});

new AirflowOnEks(stack, 'Airflow', {
  cluster,
  gitSync: { repository: 'https://github.com/example/airflow-dags.git' },
});
