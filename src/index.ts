export { AirflowOnEks } from './airflow-on-eks';
export { AirflowOnEksProps } from './airflow-on-eks-props';
export { ApiServerOptions } from './api-server';
export {
  ApiServerAutoscaling, AutoscalingOptions, CpuAutoscalingOptions, MemoryAutoscalingOptions, QueuedTasksAutoscalingOptions, WorkerAutoscaling,
} from './autoscaling';
export { IAirflowBroker } from './broker/airflow-broker';
export { CeleryBroker } from './broker/celery-broker';
export { ElastiCacheBrokerOptions } from './broker/elasticache-broker';
export { InClusterBrokerOptions } from './broker/in-cluster-broker';
export { AirflowChart, AirflowChartOptions } from './chart/airflow-chart';
export { ComponentOptions } from './component';
export { SecretsBackend } from './config/secrets-backend';
export { AirflowDatabase } from './database/airflow-database';
export { IAirflowDatabase } from './database/bound-database';
export { DatabaseBackupOptions } from './database/database-backup';
export { DatabaseStorageOptions } from './database/database-storage';
export { DatabaseSslMode, EndpointDatabaseOptions, ExistingDatabaseOptions } from './database/existing-database-options';
export { InClusterDatabaseOptions } from './database/in-cluster-database';
export { AuroraDatabaseOptions, ManagedDatabaseOptions, RdsDatabaseOptions } from './database/managed-database-options';
export { PgBouncer, PgBouncerOptions } from './database/pgbouncer';
export { DatabaseCleanupOptions } from './database-cleanup';
export { EfsCsiDriver, EfsCsiDriverInstallation, EfsCsiDriverOptions } from './efs-csi-driver';
export { AirflowExecutor } from './executor';
export { ExternalSecrets, ExternalSecretsInstallation } from './external-secrets';
export { GitAuth, GitHttpAuthOptions, GitSshAuthOptions } from './git-sync/git-auth';
export { GitSyncOptions } from './git-sync/git-sync';
export { KnownHosts } from './git-sync/known-hosts';
export { AirflowImage } from './image';
export { IAlbIngress } from './ingress/alb-ingress';
export { AlbIngressClass } from './ingress/alb-ingress-class';
export { AlbIngressOptions, AlbListenerPort } from './ingress/alb-ingress-options';
export { Keda, KedaInstallation } from './keda';
export { AirflowLogs, BucketLogsOptions, FileSystemLogsOptions, IAirflowLogs } from './logs/airflow-logs';
export { AirflowConnection } from './metadata/airflow-connection';
export { AirflowPool } from './metadata/airflow-pool';
export { AirflowRole, AirflowUser } from './metadata/airflow-user';
export { AirflowVariable } from './metadata/airflow-variable';
export { AirflowNodePools, ExistingNodesOptions, IAirflowNodePools } from './nodes/airflow-node-pools';
export {
  AutoModeOptions, ExistingNodeClassOptions, KarpenterNodePoolOptions, KarpenterOptions, KarpenterPoolsOptions, NewNodeClassOptions,
} from './nodes/karpenter-options';
export { ManagedNodeGroupsOptions, ManagedNodesOptions, NodePoolOptions, SingleNodeGroupOptions } from './nodes/managed-node-groups-options';
export { AirflowPlacement, NodePlacement } from './nodes/placement';
export { IAirflowPersistence, PersistenceOptions } from './persistence';
export { AirflowSecret } from './secrets/airflow-secret';
export { AirflowSecretsOptions, IAirflowSecrets } from './secrets/airflow-secrets';
export { CeleryWorkersOptions, WorkerGroupOptions, WorkersOptions } from './workers';
