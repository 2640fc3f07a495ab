// For tests: what a stream of the plain HTTP surface sends.

/** One server-sent event. */
export interface Frame {
  event: string;
  id: string | undefined;
  data: unknown;
}

/** The frames of a stream, as they come. */
export async function* framesOf(answer: Response): AsyncGenerator<Frame, void> {
  if (answer.body === null) return;
  let text = '';
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      const event = fields.get('event');
      if (event !== undefined) yield { event, id: fields.get('id'), data: JSON.parse(fields.get('data') ?? 'null') };
    }
  }
}
