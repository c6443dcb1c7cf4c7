import { CfnResource } from 'aws-cdk-lib';
import { synthAirflow } from './util';

// To change one of these replaces what users have, with its data: it is a major version.
test('the ids of the constructs of a default Airflow are contract', () => {
  const { stack } = synthAirflow({ ingress: {} });
  const paths = stack.node.findAll().filter((construct) => CfnResource.isCfnResource(construct)).map(({ node }) => node.path.replace('Data/', ''));
  expect(paths.sort()).toEqual([
    'Airflow/Ingress/Manifest/Resource/Default',
    'Airflow/Namespace/Resource/Default',
    'Airflow/NodePools/Database/Resource',
    'Airflow/NodePools/LaunchTemplate20Gib/Resource',
    'Airflow/NodePools/Role/DefaultPolicy/Resource',
    'Airflow/NodePools/Role/Resource',
    'Airflow/NodePools/SecurityGroup/Resource',
    'Airflow/NodePools/SecurityGroup/from DataAirflowNodePoolsSecurityGroup511EAC50:ALL TRAFFIC',
    'Airflow/NodePools/Stateless/Resource',
    'Airflow/NodePools/Workers/Resource',
    'Airflow/Persistence/DatabaseAccessPoint/Resource',
    'Airflow/Persistence/FileSystem/EfsMountTarget1',
    'Airflow/Persistence/FileSystem/EfsMountTarget2',
    'Airflow/Persistence/FileSystem/Resource',
    'Airflow/Persistence/LogsAccessPoint/Resource',
    'Airflow/Persistence/SecurityGroup/Resource',
    'Airflow/Persistence/SecurityGroup/from DataAirflowNodePoolsSecurityGroup511EAC50:2049',
    'Airflow/Release/Resource/Default',
    'Airflow/Role/Resource',
    'Airflow/Secrets/DatabasePassword/Resource',
    'Airflow/Secrets/FernetKey/Resource',
    'Airflow/Secrets/FlowerPassword/Resource',
    'Airflow/Secrets/JwtSecret/Resource',
    'Airflow/Secrets/Manifest/Resource/Default',
    'Airflow/Secrets/Password-admin/Resource',
    'Airflow/Secrets/RedisPassword/Resource',
    'Airflow/Secrets/Role/DefaultPolicy/Resource',
    'Airflow/Secrets/Role/Resource',
    'Airflow/Secrets/WebserverSecretKey/Resource',
    'Cluster/AirflowEfsCsiDriver/Chart/Resource/Default',
    'Cluster/AirflowEfsCsiDriver/Role/Resource',
    'Cluster/AirflowExternalSecrets/Chart/Resource/Default',
  ]);
});
