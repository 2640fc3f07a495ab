// A program in a real terminal: a pseudo terminal that it runs in, and a screen that reads what it draws.
import { waitFor } from '@hypercode/testkit';
import { spawn } from '@lydell/node-pty';
import headless from '@xterm/headless';

export interface TerminalOptions {
  readonly env: Record<string, string>;
  readonly columns?: number;
  readonly rows?: number;
}

export class TestTerminal implements Disposable {
  /** Resolves when the program has ended. */
  readonly exited: Promise<{ readonly code: number }>;
  readonly pid: number;
  readonly #screen: InstanceType<typeof headless.Terminal>;
  readonly #process: ReturnType<typeof spawn>;
  #hasExited = false;

  constructor(file: string, words: readonly string[], { env, columns = 100, rows = 30 }: TerminalOptions) {
    this.#screen = new headless.Terminal({ cols: columns, rows, allowProposedApi: true });
    const all = { ...env, TERM: 'xterm-256color', LANG: 'C.UTF-8' };
    this.#process = spawn(file, [...words], { cols: columns, rows, cwd: '/', env: all, name: 'xterm-256color' });
    this.pid = this.#process.pid;
    this.#process.onData((data) => this.#screen.write(data));
    // What the screen answers, such as to the question where the cursor is.
    this.#screen.onData((data) => {
      if (!this.#hasExited) this.#process.write(data);
    });
    this.exited = new Promise((resolve) => {
      this.#process.onExit(({ exitCode }) => {
        this.#hasExited = true;
        resolve({ code: exitCode });
      });
    });
  }

  /** What is on the screen now, without spaces at the ends of lines. */
  get text(): string {
    const { active } = this.#screen.buffer;
    const lines = Array.from({ length: this.#screen.rows }, (_, row) =>
      (active.getLine(active.baseY + row)?.translateToString(true) ?? '').trimEnd(),
    );
    return lines.join('\n').trimEnd();
  }

  /** Whether the screen is the one that full-screen programs draw on. */
  get isAlternate(): boolean {
    return this.#screen.buffer.active.type === 'alternate';
  }

  /** Waits until the screen shows it. */
  async shows(wanted: string | RegExp): Promise<void> {
    const isShown = (): true => {
      const { text } = this;
      if (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)) return true;
      throw new Error(`the screen is\n${text}`);
    };
    await waitFor(isShown, { what: String(wanted), timeoutMs: 30_000 });
  }

  type(keys: string): void {
    this.#process.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    this.#process.resize(columns, rows);
  }

  [Symbol.dispose](): void {
    if (!this.#hasExited) this.#process.kill('SIGKILL');
    this.#screen.dispose();
  }
}
