// Progress of long work, on stderr, where a person sees it.
import type { Output } from './output.ts';

export interface Progress {
  /** Sets how much is done, and the text beside the bar. */
  at(done: number, message: string): void;
  /** Ends the bar, which stays as it is. */
  end(): void;
}

/**
 * A bar up to `total`; null: the end is not known, and only the message is shown. Without a terminal nothing is shown. It takes no input and
 * hides no cursor, so that nothing has to be restored.
 */
export async function startProgress(output: Output, total: number | null, message = ''): Promise<Progress> {
  if (!output.isAttended) return { at: () => {}, end: () => {} };
  const { default: bars } = await import('cli-progress');
  const preset = output.isUtf8 ? bars.Presets.shades_classic : bars.Presets.legacy;
  const format = total === null ? '{message}' : '{bar} {percentage}% {message}';
  const bar = new bars.SingleBar({ format, stream: output.streams.stderr, hideCursor: false, etaBuffer: 1 }, preset);
  bar.start(total ?? Infinity, 0, { message: output.plain(message) });
  return {
    at: (done, text) => bar.update(done, { message: output.plain(text) }),
    end: () => bar.stop(),
  };
}
