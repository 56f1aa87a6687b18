// The one clock that all nodes share: signs of life are set and judged by it, never by a node's own.

/** Epoch ms, as an SQL expression; it goes on within a transaction. */
export const databaseNow = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint'
