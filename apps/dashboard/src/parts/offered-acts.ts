// The acts that the page offers now, for the command palette: those whose buttons are on the screen.
import { useEffect } from 'react';
import { Store } from '../swarm/store.ts';

export interface OfferedAct {
  readonly title: string;
  readonly open: () => void;
}

export const offeredActs = new Store<readonly OfferedAct[]>([]);

/** Offers an act as long as the component is on the screen. `open` must not depend on what is drawn. */
export function useOfferedAct(title: string, open: () => void): void {
  useEffect(() => {
    const act: OfferedAct = { title, open };
    offeredActs.set([...offeredActs.get(), act]);
    return () => offeredActs.set(offeredActs.get().filter((one) => one !== act));
    // The first `open` does the same as every later one.
  }, [title]);
}
