// What commands print: text, and text with a style. Styles are words here, so no escape sequence is ever part of a text.

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan' | 'magenta' | 'underline' | 'inverse';

export interface Styled {
  readonly text: string;
  readonly style: Style | readonly Style[];
}

export type Part = string | Styled;
/** One line, from parts. */
export type Line = Part | readonly Part[];

export const styled = (style: Styled['style'], text: string): Styled => ({ style, text });
export const bold = (text: string): Styled => styled('bold', text);
export const dim = (text: string): Styled => styled('dim', text);
export const red = (text: string): Styled => styled('red', text);
export const green = (text: string): Styled => styled('green', text);
export const yellow = (text: string): Styled => styled('yellow', text);
export const cyan = (text: string): Styled => styled('cyan', text);

/** The parts of a line, whatever form it has. */
export const partsOf = (line: Line): readonly Part[] => (isParts(line) ? line : [line]);

const isParts = (line: Line): line is readonly Part[] => Array.isArray(line);
