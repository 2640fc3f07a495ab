// Which characters of agents' words are shown as escapes, wherever words are shown.

/**
 * Control characters (C0, DEL, C1), format characters that reorder or hide text (bidi marks, embeddings, isolates, zero-width characters,
 * tags, line and paragraph separators), and lone surrogates.
 */
export const UNSAFE_CHARACTERS =
  // oxlint-disable-next-line no-control-regex -- These are what is looked for.
  /[\u0000-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]|\p{Surrogate}/gu;

/** The escape of such a character, such as `\u001b`. */
export function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? String.raw`\u{${code.toString(16)}}` : String.raw`\u${code.toString(16).padStart(4, '0')}`;
}
