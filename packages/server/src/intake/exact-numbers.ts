// Numbers of a JSON text that would not arrive as they came: JavaScript reads each as a double (RFC 8259, section 6).

/**
 * Finds every text with such a number, and few others: 16 digits or more, or an exponent of three. Costs a quarter of reading the text.
 * It begins with the character before the number, since an alternative for the start of the text makes it half as fast.
 */
const SUSPICIOUS = /[\s:,[]-?\d(?:[\d.]{15}|[\d.]*[eE][+-]?\d{3})/;
const ONLY_A_NUMBER = /^-?\d/;

/** What every schema refuses, where it stands: a number beyond any, which is read as Infinity. */
const BEYOND_ANY = '1e999';

/** The text, which is JSON, in which each number that would not arrive as it came is one that every schema refuses. */
export function withExactNumbers(text: string): string {
  if (!SUSPICIOUS.test(text) && !ONLY_A_NUMBER.test(text)) return text;
  let exact = '';
  let taken = 0;
  for (let at = 0, next = 0; at < text.length; at = next) {
    const code = text.charCodeAt(at);
    next = at + 1;
    if (code === QUOTE) next = endOfString(text, at);
    else if (code === MINUS || isDigit(code)) {
      while (isOfNumber(text.charCodeAt(next))) next += 1;
      const literal = text.slice(at, next);
      if (literal.length < MIN_LENGTH || !DECIMAL.test(literal) || isExact(literal)) continue;
      exact += text.slice(taken, at) + BEYOND_ANY;
      taken = next;
    }
  }
  return exact + text.slice(taken);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
/** A digit, or one of `-+.eE`. */
const isOfNumber = (code: number): boolean =>
  isDigit(code) || code === MINUS || code === 0x2b || code === 0x2e || code === 0x65 || code === 0x45;
/** Shorter numbers are exact. */
const MIN_LENGTH = '1e999'.length;

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** Longer than any double that is written out in full. */
const MAX_LITERAL_LENGTH = 1100;
/** The most that `toPrecision` gives. */
const MAX_PRECISION = 100;

/**
 * Whether what is sent on is the same number. An integer has to be printed with the same value: 2^60 is a double, but is printed as
 * 1152921504606847000. A fraction may also have more digits of its double than JavaScript prints, as `%.17g` in C has.
 */
export function isExact(literal: string): boolean {
  if (literal.length > MAX_LITERAL_LENGTH) return false;
  const value = Number(literal);
  if (!Number.isFinite(value)) return false;
  const given = decimalOf(literal);
  if (given === decimalOf(String(value))) return true;
  const precision = given.indexOf('e') - (given.startsWith('-') ? 1 : 0);
  return !Number.isInteger(value) && precision <= MAX_PRECISION && given === decimalOf(value.toPrecision(precision));
}

/** One text for each value: its digits without zeros at both ends, and the power of ten of the last. */
function decimalOf(literal: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(literal) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0e0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** RFC 8259, section 6. What does not match it is no number, and for the parser to refuse. */
const DECIMAL = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
