// The filter by data, ready to be applied: its parser is loaded when there is one.
import { useEffect, useState } from 'react';
import { compileWhere, type Where } from './where.ts';

export type WhereState =
  | { readonly state: 'ready'; readonly test: Where }
  | { readonly state: 'reading' }
  | { readonly state: 'wrong'; readonly fault: string };

const ALL: WhereState = { state: 'ready', test: () => true };

export function useWhere(path: string | undefined): WhereState {
  const [where, setWhere] = useState<WhereState>(path === undefined ? ALL : { state: 'reading' });
  useEffect(() => {
    if (path === undefined) {
      setWhere(ALL);
      return undefined;
    }
    let isWanted = true;
    const set = (state: WhereState): void => {
      if (isWanted) setWhere(state);
    };
    compileWhere(path).then(
      (test) => set({ state: 'ready', test }),
      (error: unknown) => set({ state: 'wrong', fault: `The JSONPath cannot be read: ${messageOf(error)}` }),
    );
    return () => {
      isWanted = false;
    };
  }, [path]);
  return where;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
