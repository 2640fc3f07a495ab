// How much memory a core holds on to. Its resident size would say how much garbage it had not yet collected.

/** For a core's `NODE_OPTIONS`: lets `liveMib` ask it. */
export const INSPECTED = '--inspect=127.0.0.1:0';

interface Answer {
  id?: number;
  error?: { message: string };
  result?: { result?: { value?: number } };
}

/** Heap and buffers after a garbage collection, in MiB. `output` is what the core has printed, with the inspector's address. */
export async function liveMib(output: string): Promise<number> {
  const url = [...output.matchAll(/Debugger listening on (ws:\/\/\S+)/g)].at(-1)?.[1];
  if (url === undefined) throw new Error('the core was not started with --inspect');
  const socket = new WebSocket(url);
  const answers = new Map<number, (answer: Answer) => void>();
  const lost = new Promise<never>((_resolve, reject) => {
    for (const type of ['error', 'close']) {
      socket.addEventListener(type, () => reject(new Error('the connection to the inspector broke')));
    }
  });
  socket.addEventListener('message', ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer;
    if (answer.id !== undefined) answers.get(answer.id)?.(answer);
  });
  const ask = async (method: string, params: object = {}): Promise<Answer> => {
    const id = answers.size + 1;
    const answered = new Promise<Answer>((resolve) => answers.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    const answer = await Promise.race([answered, lost]);
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    return answer;
  };

  try {
    await Promise.race([new Promise((resolve) => socket.addEventListener('open', resolve)), lost]);
    await ask('HeapProfiler.collectGarbage');
    const expression = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())';
    const { result } = await ask('Runtime.evaluate', { expression });
    const bytes = result?.result?.value;
    if (bytes === undefined) throw new Error('the inspector gave no number');
    return bytes / 1024 / 1024;
  } finally {
    lost.catch(() => undefined);
    socket.close();
  }
}
