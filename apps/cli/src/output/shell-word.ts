// A word of a command that is shown to be typed.

/** Quoted where a shell would take `*` or `>` for its own. */
export const shellWord = (word: string): string =>
  /^[\w.,:/@{}-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
