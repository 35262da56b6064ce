import { RecordRefusedError, type Bus } from '@lanewatch/ingest/contract';
import { moveRecords, type Move } from './pipeline/move.ts';
import { publishAccepted } from './pipeline/publish-accepted.ts';

/**
 * Makes the function that puts events on the partitions of the usage topic where they belong. It resolves with those that the bus
 * refuses one by one.
 * @throws RangeError when the topic has another number of partitions by now: then they belong elsewhere, and must be read anew
 */
export function createMovesPublisher(bus: Bus, topic: string): (moves: Move[]) => Promise<Move[]> {
  async function publish(moves: Move[]): Promise<void> {
    try {
      await bus.publish(topic, moveRecords(moves));
    } catch (error) {
      if (error instanceof RecordRefusedError && (await bus.partitionCount(topic)) !== moves[0]!.partitionCount)
        throw new RangeError(`topic ${topic} has another number of partitions by now`, { cause: error });
      throw error;
    }
  }

  return async function publishMoves(moves) {
    const refused: Move[] = [];
    await publishAccepted(moves, { publish, reduce: (move) => move, onRefused: (move) => refused.push(move) });
    return refused;
  };
}
