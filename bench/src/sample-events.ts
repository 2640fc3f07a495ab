// Events as working agents would publish them: about 200 bytes of JSON on a hundred topics.

const TOPICS = 100;

export interface SampleData {
  /** Tells events of one round apart. */
  index: number;
  task: string;
  step: number;
  steps: number;
  status: string;
  message: string;
  startedAt: string;
}

export interface SampleEvent {
  topic: string;
  data: SampleData;
}

export function sampleEvent(index: number): SampleEvent {
  const task = `task-${String(index % TOPICS).padStart(4, '0')}`;
  return { topic: `bench.${task}.progress`, data: sampleData(index, task) };
}

export const sampleData = (index: number, task: string): SampleData => ({
  index,
  task,
  step: index % 40,
  steps: 40,
  status: 'running',
  message: 'Compiled the packages that the change touches and began with their tests',
  startedAt: '2026-01-01T00:00:00.000Z',
});
