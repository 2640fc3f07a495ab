// Words of a command, for people to paste into a shell.

/** For a POSIX shell: an argument that is more than a plain word is quoted. */
export const shellWord = (word: string): string =>
  /^[A-Za-z0-9_./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
