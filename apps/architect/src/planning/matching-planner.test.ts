// Plans that words give: what people write, what the swarm offers, and what hostile texts cost.
import { type Agent, Goal, LIMITS, PlanTask } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchingPlanner } from './matching-planner.ts';
import { planFaults } from '@hypercode/plans';
import { sampleAgent, sampleGoal } from '../../test/sample-swarm.ts';

const { signal } = new AbortController();
const plan = (goal: Goal, agents: readonly Agent[]) => matchingPlanner.plan(goal, agents, { signal });

/** "id ← what it waits for: title", a task a line. */
async function inWords(agents: readonly Agent[], title: string, description?: string): Promise<string[] | null> {
  const tasks = await plan(sampleGoal({ title, description }), agents);
  return tasks?.map((task) => `${task.taskId} ← ${task.dependsOn.join(' + ')}: ${task.title}`) ?? null;
}

/** The instructions that the agents of the tasks receive. */
async function instructions(agents: readonly Agent[], title: string, description?: string): Promise<unknown[]> {
  const tasks = await plan(sampleGoal({ title, description }), agents);
  return (tasks ?? []).map(({ input }) => input);
}

const NEWSROOM = [
  sampleAgent('scout', ['web-search', { id: 'research', description: 'Researches a topic in depth' }]),
  sampleAgent('author', [
    { id: 'write-article', description: 'Writes articles and blog posts', tags: ['draft', 'blog', 'report'] },
    { id: 'summarize', description: 'Summarizes long texts' },
  ]),
  sampleAgent('polyglot', [
    { id: 'translate', description: 'Translates text between languages', tags: ['french', 'german'] },
  ]),
  sampleAgent('editor', [{ id: 'proofread', description: 'Checks grammar and spelling', tags: ['review', 'edit'] }]),
  sampleAgent('desk', [
    { id: 'publish', description: 'Publishes to the website', tags: ['post'] },
    { id: 'send-email', description: 'Sends emails' },
  ]),
];

const WORKSHOP = [
  sampleAgent('coder', ['write-code', 'fix-bug']),
  sampleAgent('tester', ['run-tests']),
  sampleAgent('reviewer', ['code-review']),
  sampleAgent('ops', ['build-image', 'deploy', { id: 'notify-team', tags: ['slack'] }]),
  sampleAgent('scribe', ['write-docs']),
];

const TRAVEL = [
  sampleAgent('sky', [{ id: 'get-forecast', description: 'Gives the weather forecast for a city' }]),
  sampleAgent('trip', [{ id: 'travel', description: 'Finds flights and hotels' }]),
];

test.each(['create_pull_request', 'create-pull-request', 'createPullRequest', 'pull_request.create'])(
  'the words of the id %s are matched, and the id is that of the task',
  async (id) => {
    const agents = [sampleAgent('hub', [id, 'list_issues']), ...NEWSROOM];
    expect(await inWords(agents, 'Create a pull request')).toEqual([`${id} ← : Create a pull request`]);
  },
);

test('the id of a task is as long as it may be where the id of its capability is longer', async () => {
  const id = `deploy_${'x'.repeat(121)}`;
  const [task] = (await plan(sampleGoal({ title: 'Deploy' }), [sampleAgent('ops', [id])])) ?? [];
  expect(PlanTask.parse(task)).toMatchObject({ capability: id, taskId: id.slice(0, LIMITS.taskIdLength) });
});

describe('a goal', () => {
  test.each<[string, readonly Agent[], string, string | undefined, string[]]>([
    ['of one step', NEWSROOM, 'Translate the manual', undefined, ['translate ← : Translate the manual']],
    [
      'of another form of the word',
      NEWSROOM,
      'A translation of the manual',
      undefined,
      ['translate ← : A translation of the manual'],
    ],
    [
      'as a question',
      TRAVEL,
      'What is the weather in Paris?',
      undefined,
      ['get-forecast ← : What is the weather in Paris?'],
    ],
    ['by its description', TRAVEL, 'Book a flight and a hotel', undefined, ['travel ← : Book a flight and a hotel']],
    [
      'with "then" and "and … it"',
      NEWSROOM,
      'Research bees, then write an article and translate it into French.',
      undefined,
      [
        'research ← : Research bees',
        'write-article ← research: write an article',
        'translate ← write-article: translate it into French',
      ],
    ],
    [
      'with "and" between what needs nothing of each other',
      NEWSROOM,
      'Summarise the paper and translate the manual, then email both',
      undefined,
      [
        'summarize ← : Summarise the paper',
        'translate ← : translate the manual',
        'send-email ← summarize + translate: email both',
      ],
    ],
    [
      'with commas',
      NEWSROOM,
      'Search the web, summarise the results, and e-mail them to the board',
      undefined,
      [
        'web-search ← : Search the web',
        'summarize ← web-search: summarise the results',
        'send-email ← summarize: e-mail them to the board',
      ],
    ],
    [
      'with an "and" that joins no steps',
      NEWSROOM,
      'Search for cats and dogs, big and small',
      undefined,
      ['web-search ← : Search for cats and dogs, big and small'],
    ],
    [
      'in sentences',
      WORKSHOP,
      'Login',
      'Fix the bug. Run the tests and review the code. After that, deploy to production; finally, notify the team on Slack!',
      [
        'fix-bug ← : Fix the bug',
        'run-tests ← fix-bug: Run the tests',
        'code-review ← fix-bug: review the code',
        'deploy ← run-tests + code-review: deploy to production',
        'notify-team ← deploy: notify the team on Slack',
      ],
    ],
    [
      'as a numbered list',
      NEWSROOM,
      'Newsletter',
      '1. Research the topic\n2. Write a draft\n   in our usual style\n3. Proofread the draft\n4. Publish it',
      [
        'research ← : Research the topic',
        'write-article ← research: Write a draft in our usual style',
        'proofread ← write-article: Proofread the draft',
        'publish ← proofread: Publish it',
      ],
    ],
    [
      'as a bulleted list, with a title that names it all',
      WORKSHOP,
      'Deploy 2.0',
      'Do this:\n\n- run all tests\n- build the image\n* deploy it\n• write the docs',
      [
        'run-tests ← : run all tests',
        'build-image ← run-tests: build the image',
        'deploy ← build-image: deploy it',
        'write-docs ← deploy: write the docs',
      ],
    ],
    [
      'as lines',
      WORKSHOP,
      'Release',
      'Run the tests\nBuild the image\nDeploy',
      ['run-tests ← : Run the tests', 'build-image ← run-tests: Build the image', 'deploy ← build-image: Deploy'],
    ],
    [
      'under a heading',
      NEWSROOM,
      'Write an article about bees: research the topic, draft the text, then have it translated',
      undefined,
      [
        'research ← : research the topic',
        'write-article ← research: draft the text',
        'translate ← write-article: have it translated',
      ],
    ],
    [
      'whose title says what its description says better',
      NEWSROOM,
      'Write a report on solar energy',
      'Search the web for recent data, then write the report. Finally translate it into French.',
      [
        'web-search ← : Search the web for recent data',
        'write-article ← web-search: write the report',
        'translate ← write-article: translate it into French',
      ],
    ],
    [
      'whose title and description go on from each other',
      NEWSROOM,
      'Research and summarise the history of tea',
      'Research it in the archives. Translate the outcome into German.',
      [
        'research ← : Research it in the archives',
        'summarize ← : summarise the history of tea',
        'translate ← research + summarize: Translate the outcome into German',
      ],
    ],
    [
      'that names first what comes later',
      NEWSROOM,
      'Before publishing the article, proofread it',
      undefined,
      ['proofread ← : proofread it', 'publish ← proofread: Before publishing the article'],
    ],
    [
      'that names first several that come later',
      WORKSHOP,
      'Before deploying and writing the docs, run the tests, please',
      undefined,
      [
        'run-tests ← : run the tests, please',
        'deploy ← run-tests: Before deploying',
        'write-docs ← run-tests: writing the docs',
      ],
    ],
    [
      'with "before"',
      WORKSHOP,
      'Run the tests before deploying',
      undefined,
      ['run-tests ← : Run the tests', 'deploy ← run-tests: deploying'],
    ],
    [
      'with "after"',
      WORKSHOP,
      'Deploy after running the tests',
      undefined,
      ['run-tests ← : running the tests', 'deploy ← run-tests: Deploy'],
    ],
    [
      'that asks for the same twice',
      NEWSROOM,
      'Search for cats. Search for dogs. Search for birds.',
      undefined,
      [
        'web-search ← : Search for cats',
        'web-search-2 ← web-search: Search for dogs',
        'web-search-3 ← web-search-2: Search for birds',
      ],
    ],
  ])('%s', async (_, agents, title, description, expected) => {
    expect(await inWords(agents, title, description)).toEqual(expected);
  });

  test.each([
    ['Make me a sandwich', undefined],
    ['', ''],
    ['Do not publish anything', undefined],
    ['the and of it', '...'],
    ['Übersetze', '请翻译这份文件'],
  ])('that speaks of nothing on offer has no plan: %s', async (title, description) => {
    expect(await inWords(NEWSROOM, title, description)).toBeNull();
  });
});

describe('the instruction of a task', () => {
  test('is the goal, and its part of it', async () => {
    expect(await instructions(NEWSROOM, 'Tea', 'Research tea. Then write a draft.')).toEqual([
      { goal: 'Tea', instruction: 'Research tea.' },
      { goal: 'Tea', instruction: 'write a draft.' },
    ]);
  });

  test('includes what is said of nothing else, before or after', async () => {
    const description = 'We meet on Monday. Summarise the paper. Keep it under 200 words, e.g. Like a haiku.';
    expect(await instructions(NEWSROOM, 'Paper', description)).toEqual([
      {
        goal: 'Paper',
        instruction: 'We meet on Monday.\nSummarise the paper.\nKeep it under 200 words, e.g. Like a haiku.',
      },
    ]);
  });

  test('includes what must not be done', async () => {
    const received = await instructions(
      NEWSROOM,
      'Summarise the paper',
      'Do not translate it. Don’t forget to publish it.',
    );
    expect(received).toEqual([
      { goal: 'Summarise the paper', instruction: 'Summarise the paper\nDo not translate it.' },
      { goal: 'Summarise the paper', instruction: 'Don’t forget to publish it.' },
    ]);
  });

  test('includes what only describes the outcome', async () => {
    const received = await instructions(
      NEWSROOM,
      'Write an article on tea',
      'The article has two parts. Quote the article of 1910.',
    );
    expect(received).toEqual([
      {
        goal: 'Write an article on tea',
        instruction: 'Write an article on tea\nThe article has two parts.\nQuote the article of 1910.',
      },
    ]);
  });

  test('keeps the words between', async () => {
    const [received] = await instructions(NEWSROOM, 'Search for cats & dogs, red as well as green before noon');
    expect(received).toMatchObject({ instruction: 'Search for cats & dogs, red as well as green before noon' });
  });
});

describe('the capability', () => {
  const idOf = async (title: string, ...agents: Agent[]) =>
    (await plan(sampleGoal({ title }), agents))?.[0]?.capability;

  test('is the one whose words are rarer', async () => {
    const agents = [sampleAgent('a', ['text-summarize', 'text-translate', 'text-classify'])];
    expect(await idOf('Classify the text', ...agents)).toBe('text-classify');
    expect(await idOf('The text, translated', ...agents)).toBe('text-translate');
  });

  test('is what the first word says, rather than what it is done to', async () => {
    expect(await idOf('Summarise the translation', sampleAgent('a', ['summarize', 'translation']))).toBe('summarize');
  });

  test('is named by its id rather than by its description', async () => {
    const agents = [
      sampleAgent('a', [{ id: 'archive', description: 'Finds and searches invoices' }, 'invoices', 'other-things']),
    ];
    expect(await idOf('All the invoices', ...agents)).toBe('invoices');
  });

  test('has no words in its id that the goal has not, if there is a choice', async () => {
    expect(await idOf('Search for news', sampleAgent('a', ['image-search', 'search', 'audio-search']))).toBe('search');
  });

  test('is the first by name of those that are as good', async () => {
    const agents = [sampleAgent('z', ['translate-latin']), sampleAgent('a', ['translate-greek'])];
    expect(await idOf('Translate it', ...agents)).toBe('translate-greek');
    expect(await idOf('Translate it', ...agents.toReversed())).toBe('translate-greek');
  });

  test.each([
    [{ health: 'unhealthy' }],
    [{ health: 'unknown' }],
    [{ activity: 'draining' }],
    [{ circuit: 'open' }],
  ] as const)('is one that somebody can do now, rather than one of who is %o', async (status) => {
    const away = sampleAgent('away', ['translate-greek'], { status });
    expect(await idOf('Translate it', away, sampleAgent('here', ['translate-latin']))).toBe('translate-latin');
    expect(await idOf('Translate it', away, sampleAgent('here', ['paint']))).toBe('translate-greek');
    expect(await idOf('Translate it', away, sampleAgent('here', ['translate-greek', 'translate-latin']))).toBe(
      'translate-greek',
    );
    // What is meant clearly is not given to somebody else.
    const described = sampleAgent('here', [{ id: 'wander', description: 'Wanders, and does not translate' }, 'paint']);
    expect(await idOf('Translate it', away, described)).toBe('translate-greek');
  });

  test('is not one that an architect offers', async () => {
    expect(await idOf('Translate it', sampleAgent('me', ['translate'], { role: 'architect' }))).toBeUndefined();
  });

  test('of an empty swarm is none', async () => {
    expect(await plan(sampleGoal({ title: 'Translate it' }), [])).toBeNull();
  });
});

test('tasks whose ids collide receive different ids', async () => {
  const agents = [sampleAgent('a', ['scan', 'scan-2'])];
  const tasks = await plan(
    sampleGoal({ title: 'Scans', description: '- scan 1\n- scan again\n- scan 2 again' }),
    agents,
  );
  expect(new Set(tasks?.map(({ taskId }) => taskId)).size).toBe(3);
  const long = `scan-${'x'.repeat(58)}`;
  const again = await plan(sampleGoal({ title: 'Scans', description: '- scan\n- scan' }), [sampleAgent('a', [long])]);
  expect(again?.map(({ taskId }) => taskId)).toEqual([long, `${long.slice(0, 62)}-2`]);
});

describe('any goal and any swarm', () => {
  const words = fc.constantFrom(
    ...'search web summarise translate draft publish it the then and before after do not 1. - : ; . , \n e.g. results'.split(
      ' ',
    ),
    '\n',
    '\n- ',
    '\n2) ',
    ' ',
    '…',
    '𝒳',
    '\u0001',
    '__proto__',
  );
  const texts = (maxLength: number) =>
    fc
      .oneof(
        fc.array(words, { maxLength: 60 }).map((list) => list.join(' ')),
        fc.string({ unit: 'grapheme', maxLength: 200 }),
      )
      .map((text) => text.slice(0, maxLength).toWellFormed().replaceAll('\0', ''));
  const goals = fc.record({
    title: texts(LIMITS.titleLength).map((title) => title || 'x'),
    description: fc.option(texts(LIMITS.goalDescriptionLength), { nil: undefined }),
  });
  const ids = fc.constantFrom(
    ...'web-search search summarize translate translate-french draft publish send-email constructor a 1'.split(' '),
  );
  const capabilities = fc.uniqueArray(
    fc.record({
      id: ids,
      description: texts(LIMITS.descriptionLength),
      tags: fc.array(texts(LIMITS.tagLength), { maxLength: 3 }),
    }),
    { maxLength: 6, selector: ({ id }) => id },
  );
  const swarms = fc.array(
    fc.tuple(capabilities, fc.constantFrom('worker', 'architect'), fc.constantFrom('healthy', 'unhealthy')),
    { maxLength: 6 },
  );
  const agentsOf = (swarm: typeof swarms extends fc.Arbitrary<infer T> ? T : never): Agent[] =>
    swarm.map(([offered, role, health], i) => sampleAgent(`a${i}`, offered, { role, status: { health } }));

  test('end in a plan that can be carried out, or in none', async () => {
    await fc.assert(
      fc.asyncProperty(goals, swarms, async ({ title, description }, swarm) => {
        const goal = Goal.parse(sampleGoal({ title, description }));
        const agents = agentsOf(swarm);
        const tasks = await plan(goal, agents);
        if (tasks === null) return;
        expect(planFaults(tasks)).toEqual([]);
        const offered = agents
          .filter(({ role }) => role !== 'architect')
          .flatMap((agent) => agent.capabilities.map(({ id }) => id));
        for (const task of tasks) {
          expect(PlanTask.parse(task)).toEqual(task);
          expect(offered).toContain(task.capability);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('give the same plan again, whatever the order of the agents and of what they offer', async () => {
    await fc.assert(
      fc.asyncProperty(goals, swarms, fc.nat(), async ({ title, description }, swarm, turn) => {
        const goal = sampleGoal({ title, description });
        const agents = agentsOf(swarm);
        const cut = turn % (agents.length + 1);
        const turned = [...agents.slice(cut), ...agents.slice(0, cut)].map((agent) => ({
          ...agent,
          capabilities: agent.capabilities.toReversed(),
        }));
        expect(await plan(goal, turned)).toEqual(await plan(goal, agents));
      }),
    );
  });
});

describe('a hostile text', () => {
  const filled = (piece: string) =>
    piece.repeat(Math.ceil(LIMITS.goalDescriptionLength / piece.length)).slice(0, LIMITS.goalDescriptionLength);
  const crowd = Array.from({ length: 1000 }, (_, i) =>
    sampleAgent(
      `a${i}`,
      Array.from({ length: 8 }, (__, j) => ({
        id: `data-${i}-${j}`,
        description: filled(`data web text ${i} `).slice(0, LIMITS.descriptionLength),
        tags: ['data', 'web', 'text'],
      })),
    ),
  );

  test.each([
    'data. ',
    'data, ',
    'data and web, ',
    'e.g. ',
    'before data, ',
    '- data\n',
    'then ',
    ' ',
    '\n',
    ',',
    '. . ',
    ': ',
    'x',
    '"\\',
    '\u0001',
    '漢字。',
    'ations',
    'analysing ',
    'data web text 1 2 3 4 5 6 7 8 9 ',
  ])('full of %j ends in a small plan or none, in a crowd', async (piece) => {
    const goal = Goal.parse(sampleGoal({ title: 'Data', description: filled(piece) }));
    const tasks = await plan(goal, crowd);
    expect(planFaults(tasks ?? [])).toEqual([]);
    expect(tasks?.length).toBeLessThanOrEqual(50);
  });

  test('of as many steps as words is a plan that an event holds', async () => {
    const ids = Array.from({ length: 64 }, (_, i) => `s${String(i).padStart(2, '0')}-${'x'.repeat(59)}`);
    const agents = [sampleAgent('a', ids)];
    const title = '"'.repeat(LIMITS.titleLength);
    const parts = ids.map((id) => id.slice(0, 3));
    for (const glue of [' and ', ', ', '. ', '\n- ', ' after ']) {
      const description = filled(`${parts.slice(0, 32).join(' and ')} then ${parts.slice(32).join(glue)}. `);
      const tasks = await plan(sampleGoal({ title, description }), agents);
      expect(planFaults(tasks ?? [])).toEqual([]);
    }
  });
});
