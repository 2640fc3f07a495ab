// Text of others made harmless for a terminal: the one place that decides which characters reach it.
import { escapeOf as escaped, UNSAFE_CHARACTERS as UNSAFE } from '@hypercode/contracts';
import { exactText } from './exact-json.ts';

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

const escapeOf = (character: string): string => SHORT[character] ?? escaped(character);

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
