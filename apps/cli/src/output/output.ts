// What a command prints: results on stdout, everything else on stderr. All text passes through here, and becomes safe here.
import { styleText } from 'node:util';
import { type Line, partsOf } from './parts.ts';
import { plainJson, plainText } from './plain-text.ts';
import { type Environment, hasColours, isUtf8, type OutputStream, type Streams } from './terminal.ts';

export interface OutputOptions {
  readonly streams: Streams;
  readonly env: Environment;
  /** Whether results are JSON, one object a line. */
  readonly json: boolean;
}

export class Output {
  readonly json: boolean;
  /** Whether text may have other characters than ASCII. */
  readonly isUtf8: boolean;
  readonly streams: Streams;
  readonly #stdout: Writer;
  readonly #stderr: Writer;

  constructor({ streams, env, json }: OutputOptions) {
    this.streams = streams;
    this.json = json;
    this.isUtf8 = isUtf8(env);
    const writer = (stream: OutputStream): Writer => ({ stream, colours: hasColours(stream, env) });
    this.#stdout = writer(streams.stdout);
    this.#stderr = writer(streams.stderr);
  }

  /** The width of a line on stdout, in columns; Infinity where it is not a terminal. */
  get columns(): number {
    // A terminal that does not know its size has 0 columns.
    return this.streams.stdout.isTTY === true ? this.streams.stdout.columns || 80 : Infinity;
  }

  /** Whether a person sees what is on stderr, such as progress. */
  get isAttended(): boolean {
    return this.streams.stderr.isTTY === true;
  }

  /** Whether a person can be asked something. */
  get canAsk(): boolean {
    return this.streams.stdin.isTTY === true && this.isAttended;
  }

  /** A line of the result, on stdout. */
  line(line: Line = ''): void {
    this.#write(this.#stdout, `${this.#shown(line, this.#stdout.colours)}\n`);
  }

  /** A line of the result that was made by `shown`. */
  printed(text: string): void {
    this.#write(this.#stdout, `${text}\n`);
  }

  /** One object of the result as a line of JSON, on stdout. */
  object(value: unknown): void {
    this.#write(this.#stdout, `${plainJson(value, { ascii: !this.isUtf8 })}\n`);
  }

  /** A line that is not part of the result, on stderr. */
  note(line: Line): void {
    this.#write(this.#stderr, `${this.#shown(line, this.#stderr.colours)}\n`);
  }

  /** A line as stdout shows it: safe, and in colours where there are any. */
  shown(line: Line): string {
    return this.#shown(line, this.#stdout.colours);
  }

  /** The text of a line without styles, safe to show. */
  plain(line: Line): string {
    return this.#shown(line, false);
  }

  /** Resolves when stdout takes more. A command that prints much waits for it now and then, so that nothing piles up. */
  async drained(): Promise<void> {
    const { stdout } = this.streams;
    if (!stdout.writableNeedDrain || stdout.destroyed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stdout.off('drain', done).off('close', done);
        resolve();
      };
      stdout.on('drain', done).on('close', done);
    });
  }

  #shown(line: Line, colours: boolean): string {
    const ascii = !this.isUtf8;
    return partsOf(line)
      .map((part) => {
        if (typeof part === 'string') return plainText(part, { ascii });
        const text = plainText(part.text, { ascii });
        return colours ? styleText([part.style].flat(), text, { validateStream: false }) : text;
      })
      .join('');
  }

  #write({ stream }: Writer, text: string): void {
    if (!stream.destroyed && !stream.writableEnded) stream.write(text);
  }
}

interface Writer {
  readonly stream: OutputStream;
  readonly colours: boolean;
}
