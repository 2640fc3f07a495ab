// Lists: rows page by page, as a table or as lines of JSON. An empty list says what was searched; a cut one says how to go on.
import type { Output } from './output.ts';
import { dim } from './parts.ts';
import { type Column, Table } from './table.ts';

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
}

export interface Listing<Row> {
  readonly columns: readonly Column<Row>[];
  readonly page: (cursor: string | undefined) => Promise<Page<Row>>;
  /** What was searched, after "no": `agents of the role worker in the namespace default`. */
  readonly searched: string;
  /** Whether to read on to the end. Otherwise one page is shown, and a note says that there are more. */
  readonly all: boolean;
}

/** Resolves with the number of rows. No more than one page is in memory. */
export async function printList<Row>(output: Output, { columns, page, searched, all }: Listing<Row>): Promise<number> {
  const table = output.json ? null : new Table(output, columns);
  let count = 0;
  let cursor: string | undefined;
  for (;;) {
    const { rows, nextCursor } = await page(cursor);
    for (const row of rows) {
      if (table === null) output.object(row);
      else table.add(row);
    }
    count += rows.length;
    table?.flush();
    await output.drained();
    if (nextCursor === null) break;
    if (!all) {
      output.note(dim(`These are the first ${count}. --all shows all, --limit N more of them.`));
      return count;
    }
    cursor = nextCursor;
  }
  if (count === 0) output.note(`No ${searched}.`);
  return count;
}
