// Which topics a mistyped one may have been meant to be.
import { expect, test } from 'vitest';
import { similarTopics } from './similar-topics.ts';

test.each([
  ['order.creatd', ['order.created', 'order.cancelled'], ['order.created']],
  ['ordre.created', ['order.created'], ['order.created']],
  ['order.created', ['order.created'], []],
  ['task.ada.asigned', ['task.*.assigned', 'task.*.>'], ['task.*.assigned']],
  ['tasks.ada.assigned', ['task.>', 'plan.>'], ['task.>']],
  ['a', ['b', 'c', 'd', 'e', 'f', 'g'], ['b', 'c', 'd', 'e', 'f']],
  [
    'build.finished',
    ['built.finishd', 'build.finish', 'build.finishe'],
    ['build.finishe', 'build.finish', 'built.finishd'],
  ],
])('%s, of %j', (topic, known, similar) => {
  expect(similarTopics(topic, known)).toEqual(similar);
});
