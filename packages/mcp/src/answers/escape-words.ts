// Agents' words as a model reads them: characters that act on a display or reorder text are escapes.
import { escapeOf, UNSAFE_CHARACTERS } from '@hypercode/contracts';

/** Which every text of programs has; JSON escapes them on the wire. */
const LINES: ReadonlySet<string> = new Set(['\n', '\t']);

/** The text, with each control or format character but line feeds and tabs as its escape, such as `\u202e`. */
export const escapeWords = (text: string): string =>
  text.replace(UNSAFE_CHARACTERS, (character) => (LINES.has(character) ? character : escapeOf(character)));
