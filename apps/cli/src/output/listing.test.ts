// Lists of any length are printed page by page.
import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { printList } from './listing.ts';
import { Output } from './output.ts';

/** An output whose reader is slow: each write is taken in a later turn. */
function slowOutput(json: boolean) {
  let lines = 0;
  let most = 0;
  const stdout = new Writable({
    highWaterMark: 1024,
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      lines += chunk.split('\n').length - 1;
      setImmediate(done);
    },
    writev(chunks, done) {
      most = Math.max(most, chunks.length);
      for (const { chunk } of chunks) lines += String(chunk).split('\n').length - 1;
      setImmediate(done);
    },
  });
  const output = new Output({
    streams: { stdin: new PassThrough(), stdout, stderr: new PassThrough() },
    env: {},
    json,
  });
  return { output, lines: () => lines, mostPending: () => most };
}

const PAGES = 200;
const page = (cursor: string | undefined) => {
  const number = Number(cursor ?? 0);
  const rows = Array.from({ length: 500 }, (_, index) => ({ name: `agent-${number * 500 + index}` }));
  return Promise.resolve({ rows, nextCursor: number + 1 === PAGES ? null : String(number + 1) });
};

test.each([true, false])(
  '100,000 rows are printed, and no more than a page waits for the reader (JSON: %s)',
  async (json) => {
    const { output, lines, mostPending } = slowOutput(json);
    const columns = [{ title: 'name', value: ({ name }: { name: string }) => name }];
    const count = await printList(output, { columns, page, searched: 'agents', all: true });
    await output.drained();
    await new Promise((resolve) => output.streams.stdout.end(resolve));
    expect(count).toBe(100_000);
    expect(lines()).toBe(json ? 100_000 : 100_001);
    expect(mostPending()).toBeLessThanOrEqual(501);
  },
);
