// What is read once when a screen opens, with its age: lists that no live view has.
import { SwarmError } from '@hypercode/contracts';
import { systemClock } from '@hypercode/clock';
import { useCallback, useEffect, useState } from 'react';

export interface Reading<T> {
  readonly value: T | null;
  /** When it was read, in milliseconds since the epoch. */
  readonly readAtMs: number | null;
  readonly error: SwarmError | null;
  readonly again: () => void;
}

/** `read` is called when the screen opens, when `key` changes, and by `again`. A value stays while it is read again. */
export function useReading<T>(key: string, read: (signal: AbortSignal) => Promise<T>): Reading<T> {
  const [state, setState] = useState<Omit<Reading<T>, 'again'> & { readonly key: string }>({
    key,
    value: null,
    readAtMs: null,
    error: null,
  });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const end = new AbortController();
    read(end.signal).then(
      (value) => {
        if (!end.signal.aborted) setState({ key, value, readAtMs: systemClock.epochMs(), error: null });
      },
      (error: unknown) => {
        if (end.signal.aborted) return;
        setState((before) => ({
          ...(before.key === key ? before : { value: null, readAtMs: null }),
          key,
          error: SwarmError.from(error),
        }));
      },
    );
    return () => end.abort();
    // A new function each time that the screen is drawn reads the same.
  }, [key, turn]);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  const isCurrent = state.key === key;
  return {
    value: isCurrent ? state.value : null,
    readAtMs: state.readAtMs,
    error: isCurrent ? state.error : null,
    again,
  };
}
