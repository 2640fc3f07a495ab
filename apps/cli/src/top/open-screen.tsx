// The life of the screen of `top`: it takes the terminal, and gives it back as it was, whatever ends it.
import { render, useApp } from 'ink';
import { type ReactElement, useEffect } from 'react';
import type { Streams } from '../output/terminal.ts';
import { Screen, type ScreenProps } from './screen.tsx';

/**
 * Resolves when the person has left it, or `signal` is aborted.
 *
 *   open ──q, Ctrl-C, signal──> closed
 *        ──uncaught error──> closed, before the error is printed
 *        ──Ctrl-Z, SIGTSTP──> suspended: the terminal is as it was ──SIGCONT──> open
 */
export async function openScreen(
  { stdin, stdout, stderr }: Streams,
  props: Omit<ScreenProps, 'onSignal'>,
  signal: AbortSignal,
): Promise<void> {
  const instance = render(<Suspendable {...props} onSignal={(name) => process.kill(process.pid, name)} />, {
    stdin: stdin as NodeJS.ReadStream,
    stdout: stdout as NodeJS.WriteStream,
    stderr: stderr as NodeJS.WriteStream,
    alternateScreen: true,
    interactive: true,
    exitOnCtrlC: false,
    patchConsole: false,
    maxFps: 10,
  });
  const close = (): void => instance.unmount();
  process.on('uncaughtExceptionMonitor', close);
  if (signal.aborted) close();
  else signal.addEventListener('abort', close);
  try {
    await instance.waitUntilExit();
  } finally {
    process.off('uncaughtExceptionMonitor', close);
    signal.removeEventListener('abort', close);
  }
}

/** The screen, which gives the terminal back while the process is stopped. */
function Suspendable(props: ScreenProps): ReactElement {
  const { suspendTerminal } = useApp();
  useEffect(() => {
    let isStopped = false;
    const stop = (): void => {
      if (isStopped) return;
      isStopped = true;
      void suspendTerminal(async () => {
        const goneOn = new Promise<void>((resolve) => void process.once('SIGCONT', resolve));
        process.kill(process.pid, 'SIGSTOP');
        await goneOn;
        isStopped = false;
      });
    };
    process.on('SIGTSTP', stop);
    return () => void process.off('SIGTSTP', stop);
  }, [suspendTerminal]);
  return <Screen {...props} />;
}
