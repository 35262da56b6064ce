import type { Bus } from '../../../contract/bus.ts';
import type { OpenBusOptions } from '../open.ts';

export function openEmbeddedBus(_directory: string, _options: OpenBusOptions): Promise<Bus> {
  return Promise.reject(new Error('The embedded bus is not there yet.'));
}
