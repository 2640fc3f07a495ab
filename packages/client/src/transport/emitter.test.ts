import { expect, test, vi } from 'vitest';
import { Emitter } from './emitter.ts';

test('listeners receive events while they are registered, and one that throws harms no other', async () => {
  const emitter = new Emitter<{ word: [text: string, count: number] }>();
  const received: string[] = [];
  const uncaught = vi.fn<() => void>();
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', uncaught);
  try {
    emitter.on('word', () => {
      throw new Error('a faulty listener');
    });
    const off = emitter.on('word', (text, count) => {
      received.push(`${text} ${count}`);
      off();
    });
    emitter.emit('word', 'one', 1);
    emitter.emit('word', 'two', 2);
    expect(received).toEqual(['one 1']);
    await vi.waitFor(() => expect(uncaught).toHaveBeenCalledTimes(2), { timeout: 10_000 });
  } finally {
    process.off('uncaughtException', uncaught);
    for (const listener of before) process.on('uncaughtException', listener);
  }
});
