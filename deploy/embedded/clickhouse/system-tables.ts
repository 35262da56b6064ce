/** System tables that an SQL editor needs and that show an analyst nothing but what its grants cover. */
export const OPEN_SYSTEM_TABLES: readonly string[] = [
  'aggregate_function_combinators',
  'collations',
  'columns',
  'constraints',
  'contributors',
  'current_roles',
  'data_type_families',
  'databases',
  'documentation',
  'enabled_roles',
  'formats',
  'functions',
  'keywords',
  'licenses',
  'numbers',
  'numbers_mt',
  'one',
  'table_functions',
  'tables',
  'time_zones',
  'unicode',
  'zeros',
  'zeros_mt',
];

/** Every other system table of the engine. The process refuses to start when the engine has one that is in neither list. */
export const CLOSED_SYSTEM_TABLES: readonly string[] = (
  'asynchronous_inserts asynchronous_insert_log asynchronous_loader asynchronous_metric_log asynchronous_metrics ' +
  'azure_queue_metadata_cache azure_queue_settings background_schedule_pool backups backup_log blob_storage_log build_options ' +
  'certificates clusters codecs completions crash_log dashboards data_skipping_index_types data_skipping_indices ' +
  'database_engines database_replicas detached_parts detached_tables dictionaries dictionary_layouts dictionary_sources ' +
  'dimensional_metrics disk_types disks distributed_ddl_queue distribution_queue dns_cache dropped_tables ' +
  'dropped_tables_parts error_log errors events fail_points filesystem_cache filesystem_cache_log filesystem_cache_settings ' +
  'grants graphite_retentions histogram_metrics hypothetical_indexes iceberg_files iceberg_history jemalloc_bins ' +
  'jemalloc_profile_text jemalloc_stats kafka_consumers latency_log macros masking_policies merge_tree_settings merges ' +
  'metric_log metrics models moves mutations named_collections opentelemetry_span_log part_log part_moves_between_shards ' +
  'parts parts_columns primes privileges processes processors_profile_log projection_parts projection_parts_columns ' +
  'projections query_cache query_condition_cache query_log query_metric_log query_thread_log query_views_log quota_limits ' +
  'quota_usage quotas quotas_usage remote_data_paths replicas replicated_fetches replicated_merge_tree_settings ' +
  'replication_queue resources rocksdb role_grants roles row_policies s3_queue_log s3_queue_settings ' +
  's3queue_metadata_cache scheduler schema_inference_cache server_settings session_log settings settings_changes ' +
  'settings_profile_elements settings_profiles stack_trace storage_policies symbols table_engines text_log tokenizers ' +
  'trace_log transactions transactions_info_log user_defined_functions user_directories user_processes users view_refreshes ' +
  'warnings workloads zookeeper zookeeper_connection zookeeper_connection_log zookeeper_log'
).split(' ');
