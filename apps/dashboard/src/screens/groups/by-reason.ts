// Dead letters put together by why they died.
import type { DeadLetter } from '@hypercode/contracts';

export interface DeadForReason {
  /** Null: the deadline of the last attempt passed. */
  readonly reason: string | null;
  readonly letters: readonly DeadLetter[];
}

/** The commonest reason first; of equal ones, that of the letter that died first. */
export function byReason(letters: readonly DeadLetter[]): DeadForReason[] {
  const found = new Map<string | null, DeadLetter[]>();
  for (const letter of letters) {
    const same = found.get(letter.reason);
    if (same === undefined) found.set(letter.reason, [letter]);
    else same.push(letter);
  }
  return Array.from(found, ([reason, of]) => ({ reason, letters: of })).toSorted(
    (a, b) => b.letters.length - a.letters.length,
  );
}
