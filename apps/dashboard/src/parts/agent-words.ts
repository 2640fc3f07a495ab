// Words that an agent chose, made safe to look at: what would be invisible or turn the text around is shown as an escape.

/** Control characters, bidi controls (UAX #9), zero-width characters, tags and other format characters. */
const HIDDEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
/** Joins the parts of an emoji, and of words of several scripts. */
const JOINERS = new Set(['\u200C', '\u200D']);

/** The text with `\u{202E}` in place of each hidden character; line breaks and tabs become spaces. */
export const shown = (text: string): string =>
  text.replaceAll(HIDDEN, (found) => {
    if (found === '\n' || found === '\t' || found === '\r') return ' ';
    if (JOINERS.has(found)) return found;
    return `\\u{${(found.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
  });
