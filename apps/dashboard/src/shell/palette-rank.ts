// Which entries of the palette fit what was typed, the best first.

interface Named {
  readonly name: string;
  readonly note: string;
}

/**
 * The best `most` entries that have every word that was typed. An entry whose name begins with the words is before one with a word of its
 * name that does, and that before any other; what is equal stays in order.
 */
export function ranked<Entry extends Named>(entries: readonly Entry[], typed: string, most: number): readonly Entry[] {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return entries.slice(0, most);
  const tiers: [Entry[], Entry[], Entry[]] = [[], [], []];
  const whole = words.join(' ');
  for (const entry of entries) {
    const name = entry.name.toLowerCase();
    const text = `${name} ${entry.note.toLowerCase()}`;
    if (!words.every((word) => text.includes(word))) continue;
    const tier = name.startsWith(whole) ? 0 : beginsAWord(name, words[0] ?? '') ? 1 : 2;
    tiers[tier].push(entry);
    if (tiers[0].length === most) break;
  }
  return tiers.flat().slice(0, most);
}

const beginsAWord = (name: string, word: string): boolean => {
  for (let at = name.indexOf(word); at !== -1; at = name.indexOf(word, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(name[at - 1] ?? '')) return true;
  }
  return false;
};
