// Text of others made harmless for a terminal: the one place that decides which characters reach it.
import { exactText } from './exact-json.ts';

/**
 * Control characters (C0, DEL, C1), format characters that reorder or hide text (bidi marks, embeddings, isolates, zero-width characters,
 * tags, line and paragraph separators), and lone surrogates.
 */
const UNSAFE =
  // oxlint-disable-next-line no-control-regex -- These are what is looked for.
  /[\u0000-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]|\p{Surrogate}/gu;
const NOT_ASCII = /[^\0-\u007F]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\r': String.raw`\r`, '\t': String.raw`\t` };

/** The text on one line, with each unsafe character as its escape, such as `\u001b`. With `ascii`, every other character but ASCII, too. */
export function plainText(text: string, { ascii = false }: { ascii?: boolean } = {}): string {
  const safe = text.replace(UNSAFE, escapeOf);
  return ascii ? safe.replace(NOT_ASCII, (character) => ASCII_FORMS[character] ?? escapeOf(character)) : safe;
}

/** What our own texts have beyond ASCII. */
const ASCII_FORMS: Readonly<Record<string, string>> = {
  '…': '...',
  '·': '-',
  '–': '-',
  '→': '->',
  '←': '<-',
  '✓': 'ok',
  '✗': 'x',
  '!': '!',
  '├': '|',
  '└': '`',
  '│': '|',
  '─': '-',
  '█': '#',
  '░': '.',
};

function escapeOf(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? String.raw`\u{${code.toString(16)}}` : String.raw`\u${code.toString(16).padStart(4, '0')}`;
}

/** JSON on one line that says the same, and is safe to show on a terminal. With `ascii`, it has no other characters than ASCII. */
export function plainJson(value: unknown, { ascii = false }: { ascii?: boolean } = {}): string {
  const safe = exactText(value).replace(UNSAFE, jsonEscapeOf);
  return ascii ? safe.replace(NOT_ASCII, jsonEscapeOf) : safe;
}

const jsonEscapeOf = (character: string): string =>
  character
    .split('')
    .map((unit) => String.raw`\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
