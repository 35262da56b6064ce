/** What ingest promises to the packages right of it: message types, topics, identity of keys, and the bus. */
export * from './budget.ts';
export * from './bus.ts';
export * from './collector-counts.ts';
export * from './credential-record.ts';
export * from './fingerprint.ts';
export * from './hint.ts';
export * from './networks.ts';
export * from './proxy-policy.ts';
export * from './scope.ts';
export * from './settings.ts';
export * from './topics.ts';
export * from './usage-event.ts';
export * from './usage-row.ts';
/** How ingest makes an event of what was sent, for those who read objects of other producers, and old rows, from the bus. */
export { isBinaryCloudEventRecord, normaliseBusObject } from '../src/formats/bus-object.ts';
export { canonicalNames } from '../src/normalise/canonical/index.ts';
export type { NormaliseOptions } from '../src/normalise/credential.ts';
export type { EventFault } from '../src/normalise/fields.ts';
/** List prices of models, for those who ask what other models would cost. */
export { estimateNanoDollars, PRICE_LIST } from '../src/normalise/estimate.ts';
export type { PricedModel, TokenCounts } from '../src/normalise/estimate.ts';
export { normaliseUsageEvent, type NormaliseResult } from '../src/normalise/normalise.ts';
export { openBus } from '../src/bus/open.ts';
export type { OpenBusOptions } from '../src/bus/options.ts';
export { murmur2, partitionForKey } from '../src/bus/partition.ts';
export { RecordRefusedError } from '../src/bus/errors.ts';
