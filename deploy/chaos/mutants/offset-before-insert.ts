/** Broken: the offset is committed when a batch is taken over from the bus, and the committed offset is where a restart resumes. */
import { topicsOf, type Bus, type Subscription } from '@lanewatch/ingest/contract';
import { startMutant } from './start-mutant.ts';

await startMutant({
  bus: (bus, config): Bus => {
    const topic = topicsOf(config.TOPIC_PREFIX, config.USAGE_PARTITIONS).usage.name;
    return {
      ...bus,
      async subscribe(options) {
        let subscription: Subscription | null = null;
        const own = await bus.subscribe({
          ...options,
          async onAssignment(partitions) {
            await options.onAssignment(partitions);
            const lags = await bus.lag(topic, options.group);
            return new Map(lags.map(({ partition, committedOffset }) => [partition, committedOffset]));
          },
          async onBatch(batch) {
            await subscription?.commit(new Map([[batch.partition, batch.records.at(-1)!.offset + 1]]));
            await options.onBatch(batch);
          },
        });
        subscription = own;
        return { ...own, commit: () => Promise.resolve() };
      },
    };
  },
});
