import { CfnResource } from 'aws-cdk-lib';
import { synthAirflow } from './util';

// A change of one of these replaces resources of users, with their data: it needs a major version.
test('the construct IDs of a default deployment are contract', () => {
  const { stack } = synthAirflow({ ingress: {} });
  const paths = stack.node.findAll().filter((construct) => CfnResource.isCfnResource(construct)).map(({ node }) => node.path.replace('Data/', ''));
  expect(paths.sort()).toEqual([
    'Airflow/Broker/Manifest/Resource/Default',
    'Airflow/Broker/Ready/Resource/Default',
    'Airflow/Database/Manifest/Resource/Default',
    'Airflow/Database/Ready/Resource/Default',
    'Airflow/Ingress/Manifest/Resource/Default',
    'Airflow/Namespace/Resource/Default',
    'Airflow/NodePools/Database/Resource',
    'Airflow/NodePools/DatabaseLaunchTemplate',
    'Airflow/NodePools/Role/Resource',
    'Airflow/NodePools/SecurityGroup/Resource',
    'Airflow/NodePools/SecurityGroup/from DataAirflowNodePoolsSecurityGroup511EAC50:ALL TRAFFIC',
    'Airflow/NodePools/Stateless/Resource',
    'Airflow/NodePools/StatelessLaunchTemplate',
    'Airflow/NodePools/Workers/Resource',
    'Airflow/NodePools/WorkersLaunchTemplate',
    'Airflow/Persistence/DatabaseAccessPoint/Resource',
    'Airflow/Persistence/DatabaseClaimBound/Resource/Default',
    'Airflow/Persistence/FileSystem/EfsMountTarget1',
    'Airflow/Persistence/FileSystem/EfsMountTarget2',
    'Airflow/Persistence/FileSystem/Resource',
    'Airflow/Persistence/LogsAccessPoint/Resource',
    'Airflow/Persistence/LogsClaimBound/Resource/Default',
    'Airflow/Persistence/Manifest/Resource/Default',
    'Airflow/Persistence/MountPolicy/Resource',
    'Airflow/Persistence/SecurityGroup/Resource',
    'Airflow/Persistence/SecurityGroup/from DataAirflowNodePoolsSecurityGroup511EAC50:2049',
    'Airflow/PgBouncer/Manifest/Resource/Default',
    'Airflow/PgBouncer/Ready/Resource/Default',
    'Airflow/Ready/ApiServer/Resource/Default',
    'Airflow/Ready/DagProcessor/Resource/Default',
    'Airflow/Ready/Flower/Resource/Default',
    'Airflow/Ready/Scheduler/Resource/Default',
    'Airflow/Ready/Triggerer/Resource/Default',
    'Airflow/Ready/Workers/Resource/Default',
    'Airflow/Release/Resource/Default',
    'Airflow/Role/Resource',
    'Airflow/Secrets/ApiSecretKey/Resource',
    'Airflow/Secrets/BrokerPassword/Resource',
    'Airflow/Secrets/DatabasePassword/Resource',
    'Airflow/Secrets/FernetKey/Resource',
    'Airflow/Secrets/FlowerPassword/Resource',
    'Airflow/Secrets/JwtSecret/Resource',
    'Airflow/Secrets/Manifest/Resource/Default',
    'Airflow/Secrets/Password-admin/Resource',
    'Airflow/Secrets/Role/DefaultPolicy/Resource',
    'Airflow/Secrets/Role/Resource',
    'Cluster/AirflowEfsCsiDriver/Chart/Resource/Default',
    'Cluster/AirflowEfsCsiDriver/Role/Resource',
    'Cluster/AirflowExternalSecrets/Chart/Resource/Default',
    'Cluster/AirflowExternalSecrets/ExternalSecretDefinition/Resource/Default',
    'Cluster/AirflowExternalSecrets/SecretStoreDefinition/Resource/Default',
  ]);
});

test('no construct ID contains a number, which could be a size that changes', () => {
  const { stack } = synthAirflow({ ingress: {} });
  const own = stack.node.findChild('Airflow').node.findAll().map(({ node }) => node.id);
  expect(own.filter((id) => /\d/.test(id) && !/^(EfsMountTarget\d|from .*:\w+)/.test(id))).toEqual([]);
});
