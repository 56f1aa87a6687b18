// The columns that are read of each table, by name. Never `*`: a prepared statement whose result changes its shape fails
// ("cached plan must not change result type"), and nodes of the version before go on while a newer one adds columns.

const byTable = {
  workspaces:
    'id name default_region destinations max_concurrent_calls credit_millicents calling_window retention stopped created_at updated_at',
  api_keys: 'id workspace_id name prefix hash created_at revoked_at',
  agents:
    'id workspace_id name architecture prompt first_message connection max_concurrent_calls breaker_until created_at',
  trunks:
    'id workspace_id name kind max_concurrent_calls calls_per_second slowed_calls_per_second settings breaker_until breaker_reason created_at',
  phone_numbers:
    'id workspace_id e164 trunk_id agent_id max_concurrent_calls max_calls_per_day resting_until created_at',
  suppressions: 'number reason created_at',
  batches:
    'id workspace_id agent_id phone_number_id trunk_id kind metadata name description dialect sent_agent_id sent_phone_number_id status status_reason open timezone scheduled_at max_concurrent_calls calls_per_second retry calling_window ring_timeout_ms max_call_ms record trace answering_machine created_at started_at completed_at updated_at rows accepted invalid duplicate suppressed',
  recipients:
    'id batch_id due_at first_put_back_at finished_at last_attempt_id attempts put_backs standing zone',
  open_attempts:
    'id workspace_id number batch_id recipient_id trunk_id phone_number_id agent_id zone ordinal status node_id lease_until slot_at call_id dialed_at answered_at dialog',
  conversations: 'attempt_id batch_id transcript results recording_file recording_bytes line',
  events: 'id workspace_id batch_id type at data',
  webhook_endpoints:
    'id workspace_id url format events agent_id batch_id description secret previous_secret previous_secret_until wants_answers enabled disabled_reason created_at updated_at',
  webhook_deliveries:
    'id endpoint_id batch_id event_id event_at name status overtaken due_at tries redelivery_of created_at finished_at',
  audit_log: 'id workspace_id at api_key_id api_key_prefix action subject',
  nodes: 'id name role version started_at seen_at load',
} as const

/** `t.id, t.name, …` */
export const columns = (table: keyof typeof byTable, alias: string = table): string =>
  byTable[table]
    .split(' ')
    .map(column => `${alias}.${column}`)
    .join(', ')
