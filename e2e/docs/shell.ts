// Runs shell samples as a reader does: one after another in one shell of a clone. Programs that run until they are stopped go
// on in the background, as in further terminals.
//
// Three commands are replaced. `curl` also reports the status of each answer, `pnpm` runs what it would run without checking the
// installation, and both, like `python3`, leave what does not end by itself in the background.
import { BUILT_CLI, waitFor } from '@hypercode/testkit';
import { guardProcess } from '@hypercode/testkit/death-guard';
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './blocks.ts';

/** Ends what hangs, in milliseconds. */
const LIMIT_MS = 60_000;

const CURL = `#!/bin/bash
for argument in "$@"; do [[ $argument == -N ]] && exec "$SAMPLES/bin/keep" "$CURL" "$@" --no-progress-meter; done
exec "$CURL" "$@" --no-progress-meter --write-out '%{stderr}STATUS %{http_code} %{url_effective}\\n'
`;
const PNPM = `#!/bin/bash
case "$1 $2" in
  'exec tsx') shift 2; program=(node --import "$TSX" "$@") ;;
  '--filter @hypercode/core') program=(node --import "$TSX" "$ROOT/apps/core/src/main.ts") ;;
  swarm\\ *) shift; exec node "$CLI" "$@" ;;
  *) echo "nothing stands for: pnpm $*" >&2; exit 1 ;;
esac
[[ $* == *build-and-test* ]] && exec "\${program[@]}"
exec "$SAMPLES/bin/keep" "\${program[@]}"
`;
const PYTHON = `#!/bin/bash
[[ $1 == *.py ]] && exec "$SAMPLES/bin/keep" "$PYTHON" -u "$@"
exec "$PYTHON" "$@"
`;
/** Returns when the program has printed something, or has ended. */
const KEEP = `#!/bin/bash
name=$(mktemp -u "$SAMPLES/kept/XXXXXXXX")
( "$@" >"$name.out" 2>"$name.err" & echo $! >"$name.pid"; wait $!; echo $? >"$name.code" ) </dev/null >/dev/null 2>&1 &
for ((tries = 0; tries < 600; tries += 1)); do
  [[ -s $name.out || -e $name.code ]] && { echo "$*" >"$name.command"; exit; }
  sleep 0.05
done
echo "nothing was printed by: $*" >&2
exit 1
`;

export interface Ran {
  /** Also of what runs on in the background, as far as it has come. */
  output(): string;
  readonly faults: readonly string[];
}

export class Shell {
  readonly #folder: string;
  readonly #bash: ChildProcessWithoutNullStreams;
  readonly #kept = new Set<string>();
  #lines = '';
  #blocks = 0;

  /** `folder` is for the shell's own files; `clone` is where the commands run. */
  constructor(folder: string, clone: string, env: Readonly<Record<string, string>>) {
    this.#folder = folder;
    for (const part of ['bin', 'kept']) mkdirSync(join(folder, part), { recursive: true });
    for (const [name, text] of Object.entries({ curl: CURL, pnpm: PNPM, python3: PYTHON, keep: KEEP })) {
      writeFileSync(join(folder, 'bin', name), text, { mode: 0o755 });
    }
    symlinkSync(process.execPath, join(folder, 'bin/node'));
    const { PATH = '', HOME = '' } = process.env;
    const real = (name: string): string =>
      execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    this.#bash = spawn('bash', ['--noprofile', '--norc'], {
      cwd: clone,
      env: {
        HOME,
        PATH: `${join(folder, 'bin')}:${PATH}`,
        PYTHONDONTWRITEBYTECODE: '1',
        SAMPLES: folder,
        ROOT,
        TSX: import.meta.resolve('tsx'),
        CURL: real('curl'),
        PYTHON: real('python3'),
        CLI: BUILT_CLI,
        ...env,
      },
    });
    const release = guardProcess(this.#bash.pid ?? 0);
    this.#bash.once('exit', release);
    for (const stream of [this.#bash.stdout, this.#bash.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.#lines += chunk.toString()));
    }
    this.#bash.stdin.write(`set -E -o pipefail; trap 'echo "FAILED with $?: $BASH_COMMAND" >&2' ERR\n`);
  }

  async run(code: string): Promise<Ran> {
    const path = join(this.#folder, `block-${(this.#blocks += 1)}`);
    writeFileSync(`${path}.sh`, code);
    const before = new Set(this.#keptNames());
    const marker = `ended ${path}`;
    this.#bash.stdin.write(`source '${path}.sh' >'${path}.out' 2>'${path}.err'; echo '${marker}'\n`);
    const hasEnded = (): boolean => this.#lines.includes(`${marker}\n`);
    await waitFor(hasEnded, { what: `the end of:\n${code}`, timeoutMs: LIMIT_MS, intervalMs: 20 });
    const kept = this.#keptNames().filter((name) => !before.has(name));
    for (const name of kept) this.#keep(name);
    const read = (end: string): string => readFileSync(`${path}.${end}`, 'utf8');
    const output = (): string => read('out') + kept.map((name) => this.#read(`${name}.out`)).join('');
    return { output, faults: faultsIn(read('err')) };
  }

  /** The text with the values of the shell's variables. */
  async expand(text: string): Promise<string> {
    let whole = text;
    for (const [variable] of text.matchAll(/\$\w+/g)) {
      const { output } = await this.run(`printf %s "${variable}"`);
      whole = whole.replace(variable, output());
    }
    return whole;
  }

  /** Stops what runs in the background, and the shell. Gives what went wrong there, the first time. */
  async close(): Promise<string[]> {
    if (this.#bash.stdin.writableEnded) return [];
    const faults = await Promise.all([...this.#kept].map((name) => this.#stop(name)));
    this.#bash.stdin.end();
    if (this.#bash.exitCode === null) await once(this.#bash, 'exit');
    return faults.flat();
  }

  #keptNames(): string[] {
    return readdirSync(join(this.#folder, 'kept'))
      .filter((file) => file.endsWith('.pid'))
      .map((file) => file.slice(0, -4));
  }

  #keep(name: string): void {
    this.#kept.add(name);
    guardProcess(Number(this.#read(`${name}.pid`)));
  }

  #read(file: string): string {
    return readFileSync(join(this.#folder, 'kept', file), 'utf8');
  }

  async #stop(name: string): Promise<string[]> {
    const command = this.#read(`${name}.command`).trim();
    const code = (): string | undefined => {
      try {
        return this.#read(`${name}.code`).trim();
      } catch {
        return undefined;
      }
    };
    const early = code();
    if (early !== undefined) return [`${command} ended by itself with ${early}: ${this.#read(`${name}.err`)}`];
    process.kill(Number(this.#read(`${name}.pid`)), 'SIGTERM');
    await waitFor(() => code() !== undefined, { what: `the end of ${command}`, timeoutMs: LIMIT_MS });
    // 143: it has no handler of the signal.
    const isBad = code() !== '0' && code() !== '143';
    return [...(isBad ? [`${command} ended with ${code()}`] : []), ...faultsIn(this.#read(`${name}.err`))];
  }
}

/** Everything on the error output, and answers that are refusals. */
const faultsIn = (errors: string): string[] =>
  errors.split('\n').filter((line) => line !== '' && !/^STATUS [23]\d\d /.test(line));
