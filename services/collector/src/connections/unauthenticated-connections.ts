/* Connections without a valid token so far, by address. The first to be closed is the oldest of the address with the most. */
import { addressGroup } from '../clients/ip-text.js';

type Opened = { readonly address: string };

export class UnauthenticatedConnections<C extends Opened = Opened> {
  /** In the order they were opened. */
  readonly #byAddress = new Map<string, Set<C>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(connection: C): void {
    const group = addressGroup(connection.address);
    const others = this.#byAddress.get(group);
    if (others === undefined) this.#byAddress.set(group, new Set([connection]));
    else others.add(connection);
    this.#size += 1;
  }

  delete(connection: C): void {
    const group = addressGroup(connection.address);
    const others = this.#byAddress.get(group);
    if (others?.delete(connection) !== true) return;
    this.#size -= 1;
    if (others.size === 0) this.#byAddress.delete(group);
  }

  /** The connection to close. Iterates over all addresses: some microseconds for a thousand. */
  toClose(): C | undefined {
    let most: Set<C> | undefined;
    for (const connections of this.#byAddress.values()) {
      if (most === undefined || connections.size > most.size) most = connections;
    }
    const [oldest] = most ?? [];
    return oldest;
  }
}
