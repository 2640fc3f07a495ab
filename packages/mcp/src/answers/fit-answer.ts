// Cuts an answer to a size that a model can use, and names each part that was left out, so that it can be asked for alone.
import { invalidField } from '@hypercode/contracts';
import { z } from 'zod';
import { escapeWords } from './escape-words.ts';

/** Most characters of JSON that an answer has: about 8,000 tokens. */
const ANSWER_CHARACTERS = 32 * 1024;
/** Most left-out parts that an answer names, the first. */
const MAX_NAMED = 20;

/** Tried in this order until the answer is short enough: longest text, and most entries of a list or an object. */
const SIZES: readonly { readonly text: number; readonly entries: number }[] = [
  { text: 16_384, entries: 500 },
  { text: 4096, entries: 100 },
  { text: 1024, entries: 50 },
  { text: 512, entries: 20 },
  { text: 256, entries: 10 },
  { text: 128, entries: 4 },
  { text: 64, entries: 2 },
  { text: 32, entries: 1 },
];

/** A part of an answer. */
export const AnswerPart = z.object({
  pointer: z
    .string()
    .max(4096)
    .describe('JSON Pointer (RFC 6901) of a part of `untrusted`, as `cut` names it. "" is all of it.'),
  from: z
    .number()
    .int()
    .nonnegative()
    .default(0)
    .describe('The first character of a text, or the first entry of a list or object, that is given.'),
});
export type AnswerPart = z.output<typeof AnswerPart>;

/** What was left out of a text, a list or an object: everything from `from` on, of `of` characters or entries. */
export interface CutPart {
  readonly pointer: string;
  readonly from: number;
  readonly of: number;
}

export interface FittedAnswer {
  readonly value: unknown;
  readonly cut: readonly CutPart[];
}

/** The value, which is JSON, with agents' words escaped. INVALID_INPUT when there is no such part. */
export function fitAnswer(value: unknown, part?: AnswerPart, characters: number = ANSWER_CHARACTERS): FittedAnswer {
  const chosen = part === undefined ? value : partOf(value, part);
  const begun = part === undefined ? NOTHING_BEFORE : { pointer: part.pointer, from: part.from };
  const budget = new Budget(characters);
  const whole = copy(chosen, begun.pointer, { size: UNCUT, cut: [], before: begun, budget });
  if (!budget.isSpent) return { value: whole, cut: [] };
  for (const size of SIZES) {
    const cut: CutPart[] = [];
    const fitted = copy(chosen, begun.pointer, { size, cut, before: begun, budget: new Budget(Infinity) });
    if (JSON.stringify(fitted).length <= characters || size === SIZES.at(-1)) {
      return { value: fitted, cut: cut.slice(0, MAX_NAMED) };
    }
  }
  throw new Error('an answer has no size');
}

const UNCUT = { text: Infinity, entries: Infinity };
const NOTHING_BEFORE = { pointer: '', from: 0 };

/** Characters that are left, about: a copy that needs more is not finished. */
class Budget {
  #left: number;

  constructor(characters: number) {
    this.#left = characters;
  }

  take(characters: number): void {
    this.#left -= characters;
  }

  get isSpent(): boolean {
    return this.#left < 0;
  }
}

interface Copying {
  readonly size: { readonly text: number; readonly entries: number };
  readonly cut: CutPart[];
  /** What was left out before the part that is copied. */
  readonly before: { readonly pointer: string; readonly from: number };
  readonly budget: Budget;
}

function copy(value: unknown, pointer: string, copying: Copying): unknown {
  const { budget } = copying;
  if (budget.isSpent) return null;
  if (typeof value === 'string') return copyText(value, pointer, copying);
  if (typeof value !== 'object' || value === null) {
    budget.take(String(value).length + 1);
    return value;
  }
  budget.take(2);
  const isList = Array.isArray(value);
  // An object that is not plain, such as a date, is what its JSON is.
  if (!isList && 'toJSON' in value && typeof value.toJSON === 'function')
    return copy((value.toJSON as () => unknown)(), pointer, copying);
  const entries = Object.entries(value);
  const kept = entries.slice(0, copying.size.entries).filter(([name]) => isList || name.length <= copying.size.text);
  if (kept.length < entries.length) noteCut(copying, { pointer, from: kept.length, of: entries.length });
  if (isList) return kept.map(([name, inner]) => copy(inner, `${pointer}/${name}`, copying));
  const copied: [string, unknown][] = [];
  for (const [name, inner] of kept) {
    const shown = escapeWords(name);
    budget.take(shown.length + 4);
    copied.push([shown, copy(inner, `${pointer}/${escapeName(name)}`, copying)]);
  }
  return Object.fromEntries(copied);
}

function copyText(text: string, pointer: string, copying: Copying): string {
  const { size, budget } = copying;
  budget.take(text.length + 3);
  if (budget.isSpent) return '';
  if (text.length <= size.text) return escapeWords(text);
  // No character is cut in two.
  const end = isHighSurrogate(text.charCodeAt(size.text - 1)) ? size.text - 1 : size.text;
  noteCut(copying, { pointer, from: end, of: text.length });
  return escapeWords(text.slice(0, end));
}

function noteCut({ cut, before }: Copying, { pointer, from, of }: CutPart): void {
  const skipped = pointer === before.pointer ? before.from : 0;
  if (cut.length < MAX_NAMED) cut.push({ pointer: escapeWords(pointer), from: from + skipped, of: of + skipped });
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
const escapeName = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
const nameIn = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~');

function partOf(value: unknown, { pointer, from }: AnswerPart): unknown {
  let found = value;
  if (pointer !== '' && !pointer.startsWith('/')) throw noPart();
  for (const step of pointer === '' ? [] : pointer.slice(1).split('/')) {
    if (typeof found !== 'object' || found === null) throw noPart();
    const name = nameIn(step);
    // Names were shown with their escapes.
    const known = Object.hasOwn(found, name) ? name : Object.keys(found).find((key) => escapeWords(key) === name);
    if (known === undefined) throw noPart();
    found = (found as Record<string, unknown>)[known];
  }
  if (from === 0) return found;
  if (typeof found === 'string' || Array.isArray(found)) return found.slice(from);
  if (typeof found !== 'object' || found === null) throw noPart();
  return Object.fromEntries(Object.entries(found).slice(from));
}

const noPart = () =>
  invalidField('part.pointer', 'names no part of the answer; take it from `cut` of the answer before');
