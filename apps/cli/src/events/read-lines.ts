// The lines of a file or of stdin, with their numbers and where they end, so that a reader can say where it stopped.
import { wrongUsage } from '../program/exit-codes.ts';

export interface TextLine {
  readonly text: string;
  /** 1 for the first. */
  readonly number: number;
  /** How many bytes stand before the next line. */
  readonly end: number;
  /** False for what stands after the last line break. */
  readonly isWhole: boolean;
}

/** No event is longer: in JSON, each of its characters may be an escape of six. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

export interface LineStart {
  /** Bytes that stand before the first chunk. */
  readonly offset: number;
  /** Lines that stand before it. */
  readonly lines: number;
}

/** Empty lines are left out. Throws wrong usage with the number of a line that is too long or not UTF-8. */
export async function* readLines(
  chunks: AsyncIterable<string | Uint8Array>,
  { offset, lines }: LineStart = { offset: 0, lines: 0 },
): AsyncGenerator<TextLine> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let number = lines;
  let end = offset;
  const lineOf = (bytes: Buffer, isWhole: boolean): TextLine => {
    number += 1;
    end += bytes.length + (isWhole ? 1 : 0);
    try {
      return { text: decoder.decode(bytes), number, end, isWhole };
    } catch {
      throw wrongUsage(`line ${number} is not UTF-8`);
    }
  };
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk);
    for (let at = rest.indexOf(NEWLINE); at !== -1; at = rest.indexOf(NEWLINE)) {
      const line = lineOf(Buffer.concat([...held, rest.subarray(0, at)]), true);
      held = [];
      heldBytes = 0;
      rest = rest.subarray(at + 1);
      if (line.text.trim() !== '') yield line;
    }
    held.push(rest);
    heldBytes += rest.length;
    if (heldBytes > MAX_LINE_BYTES) throw wrongUsage(`line ${number + 1} is longer than any event`);
  }
  if (heldBytes === 0) return;
  const line = lineOf(Buffer.concat(held), false);
  if (line.text.trim() !== '') yield line;
}
