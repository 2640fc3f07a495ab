// A queue whose places are shared out by the time that its owners use: start-time fair queueing (Goyal, Vin and Cheng, 1996).

interface Owner<Item> {
  readonly items: Map<string, Item>;
  /** Where its next item stands, in milliseconds of used time. */
  usedMs: number;
}

/**
 * The next item is of the owner that has used least time. An owner that comes, or comes back, begins where the queue is: it makes
 * up for no time in which it wanted nothing, and waits for no more than one item of each other owner.
 */
export class FairQueue<Item> {
  readonly #owners = new Map<string, Owner<Item>>();
  /** Where the queue is: the used time of the owner whose item was taken last. */
  #reachedMs = 0;

  get(owner: string, key: string): Item | undefined {
    return this.#owners.get(owner)?.items.get(key);
  }

  /** How many items of the owner wait. */
  size(owner: string): number {
    return this.#owners.get(owner)?.items.size ?? 0;
  }

  add(owner: string, key: string, item: Item): void {
    const known = this.#owners.get(owner) ?? { items: new Map<string, Item>(), usedMs: 0 };
    if (known.items.size === 0) known.usedMs = Math.max(known.usedMs, this.#reachedMs);
    known.items.set(key, item);
    this.#owners.set(owner, known);
  }

  /** Takes an item out of its place. */
  remove(owner: string, key: string): Item | undefined {
    const known = this.#owners.get(owner);
    const item = known?.items.get(key);
    known?.items.delete(key);
    return item;
  }

  /** Takes the item whose turn it is. Its owner is charged with `charge`, when the time is known. */
  next(): { owner: string; key: string; item: Item } | null {
    let first: [string, Owner<Item>] | null = null;
    for (const entry of this.#owners) {
      const [owner, { items, usedMs }] = entry;
      if (items.size > 0 && (first === null || usedMs < first[1].usedMs)) first = entry;
      // One that wants nothing is remembered until the queue has reached what it has used.
      if (items.size === 0 && usedMs <= this.#reachedMs) this.#owners.delete(owner);
    }
    if (first === null) return null;
    const [owner, { items, usedMs }] = first;
    const [next] = items;
    if (next === undefined) return null;
    const [key, item] = next;
    items.delete(key);
    this.#reachedMs = Math.max(this.#reachedMs, usedMs);
    return { owner, key, item };
  }

  /** What an item of the owner has used. */
  charge(owner: string, ms: number): void {
    const known = this.#owners.get(owner) ?? { items: new Map<string, Item>(), usedMs: this.#reachedMs };
    known.usedMs = Math.max(known.usedMs, this.#reachedMs) + ms;
    this.#owners.set(owner, known);
  }
}
