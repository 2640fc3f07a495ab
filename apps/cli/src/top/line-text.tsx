// A line of `output` as a component: its parts with their styles, made harmless for the terminal.
import { Text } from 'ink';
import type { ReactElement } from 'react';
import { type Line, type Part, partsOf, type Style } from '../output/parts.ts';
import { plainText } from '../output/plain-text.ts';

type TextStyle = Omit<Parameters<typeof Text>[0], 'children'>;

const STYLES: Readonly<Record<Style, TextStyle>> = {
  bold: { bold: true },
  dim: { dimColor: true },
  underline: { underline: true },
  inverse: { inverse: true },
  red: { color: 'red' },
  green: { color: 'green' },
  yellow: { color: 'yellow' },
  blue: { color: 'blue' },
  cyan: { color: 'cyan' },
  magenta: { color: 'magenta' },
};

export interface LineTextProps {
  readonly line: Line;
  /** Whether it has only ASCII characters. */
  readonly ascii: boolean;
  readonly colours: boolean;
}

/** One line, cut where its box ends. */
export function LineText({ line, ascii, colours }: LineTextProps): ReactElement {
  const styleOf = (part: Part): TextStyle =>
    typeof part === 'string' || !colours ? {} : Object.assign({}, ...[part.style].flat().map((style) => STYLES[style]));
  return (
    <Text wrap="truncate-end">
      {partsOf(line).map((part, index) => (
        <Text key={index} {...styleOf(part)}>
          {plainText(typeof part === 'string' ? part : part.text, { ascii })}
        </Text>
      ))}
    </Text>
  );
}
