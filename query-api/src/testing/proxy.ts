import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A way to a server that can go bad. */
export interface Proxy {
  /** The server's URL by way of here. */
  url: string;
  /** From now on nothing gets through, on connections that are there and new ones, and nobody is told: a dead network. */
  swallow(): void;
  /** Breaks every connection and takes no new one: the server is gone. */
  cut(): Promise<void>;
}

/** Passes bytes between whoever connects and the server of a URL. */
export async function startProxy(server: string): Promise<Proxy> {
  const target = new URL(server);
  const sockets = new Set<Socket>();
  let isSwallowing = false;
  const listener = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => void (isSwallowing || to.write(chunk)));
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const url = new URL(server);
  url.hostname = '127.0.0.1';
  url.port = String((listener.address() as AddressInfo).port);
  return {
    url: url.href,
    swallow: () => (isSwallowing = true),
    async cut() {
      const closed = once(listener, 'close');
      listener.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
