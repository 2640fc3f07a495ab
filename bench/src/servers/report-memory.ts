// Loaded into every program that is measured: at SIGUSR2 it collects its garbage and prints what memory is left.

process.on('SIGUSR2', () => {
  // Twice: the first run only finalises what some objects hold outside the heap.
  globalThis.gc?.();
  setTimeout(() => {
    globalThis.gc?.();
    process.stdout.write(`\nmemory ${JSON.stringify(process.memoryUsage())}\n`);
  }, 50);
});
