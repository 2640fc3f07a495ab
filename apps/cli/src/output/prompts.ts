// Questions to the person at the terminal. They are asked on stderr, and never where no person is.
import type { Output } from './output.ts';

/** The answer; null when the person ended the question, as with Ctrl-C. */
export async function askWhether(output: Output, question: string, signal: AbortSignal): Promise<boolean | null> {
  const { confirm, isCancel } = await import('@clack/prompts');
  const { stdin, stderr } = output.streams;
  const message = output.plain(question);
  const answer = await confirm({ message, initialValue: false, input: stdin, output: stderr, signal });
  return isCancel(answer) ? null : answer;
}

/** A secret, which is not shown as it is typed; null when the person ended the question. */
export async function askSecret(output: Output, question: string, signal: AbortSignal): Promise<string | null> {
  const { isCancel, password } = await import('@clack/prompts');
  const { stdin, stderr } = output.streams;
  const message = output.plain(question);
  const answer = await password({ message, mask: '*', clearOnError: true, input: stdin, output: stderr, signal });
  return isCancel(answer) ? null : answer;
}
