import { RecordRefusedError } from '@lanewatch/ingest/contract';

/** How items get onto a topic that may refuse some of them for good. */
export interface Publication<Item> {
  publish(items: Item[]): Promise<void>;
  /** A smaller form, tried once where the bus refuses the whole. */
  reduce(item: Item): Item;
  /** Told of an item that is refused even so: it is left out. */
  onRefused(item: Item, error: RecordRefusedError): void;
}

/**
 * Publishes what the bus takes. A refusal (too large, say) comes again however often it is tried, and behind it would wait every
 * partition; so the refused items are found by halving, reduced, and left out where that is refused as well. Any other failure is
 * thrown: trying all of it again is right, because a repeat is recognised by its key.
 */
export async function publishAccepted<Item>(items: Item[], publication: Publication<Item>): Promise<void> {
  const { publish, reduce, onRefused } = publication;
  try {
    await publish(items);
    return;
  } catch (error) {
    if (!(error instanceof RecordRefusedError)) throw error;
  }
  if (items.length > 1) {
    const half = items.length >> 1;
    await publishAccepted(items.slice(0, half), publication);
    await publishAccepted(items.slice(half), publication);
    return;
  }
  for (const item of items) {
    try {
      await publish([reduce(item)]);
    } catch (error) {
      if (!(error instanceof RecordRefusedError)) throw error;
      onRefused(item, error);
    }
  }
}
