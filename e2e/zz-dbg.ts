import { chromium } from 'playwright-core';
import { findChromium } from '@hypercode/testkit';
const browser = await chromium.launch({ executablePath: await findChromium(), chromiumSandbox: false });
const page = await browser.newPage();
page.on('console', (m) => console.log('console', m.text()));
await page.goto('http://127.0.0.1:7850/needs-you');
for (const drop of [[], ['elk.layered.considerModelOrder.strategy'], ['elk.edgeLabels.inline']])
  console.log(
    drop,
    await page.evaluate(
      (drop) =>
        new Promise((r) => {
          const w = new Worker('/assets/elk-worker.min-J_vVZCZ4.js');
          w.onerror = (e) => r('error ' + e.message);
          const o: any = {
            'elk.algorithm': 'layered',
            'elk.direction': 'RIGHT',
            'elk.edgeRouting': 'ORTHOGONAL',
            'elk.spacing.nodeNode': '18',
            'elk.spacing.edgeNode': '14',
            'elk.spacing.edgeEdge': '10',
            'elk.layered.spacing.nodeNodeBetweenLayers': '56',
            'elk.layered.spacing.edgeNodeBetweenLayers': '18',
            'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
            'elk.edgeLabels.inline': 'true',
          };
          for (const d of drop) delete o[d];
          const t = performance.now();
          const graph = {
            id: 'g',
            layoutOptions: o,
            children: ['branch', 'code', 'tests', 'review', 'docs', 'note'].map((id) => ({
              id,
              width: 216,
              height: 54,
            })),
            edges: [
              ['branch', 'code'],
              ['code', 'tests'],
              ['code', 'review'],
              ['branch', 'docs'],
              ['tests', 'note'],
              ['review', 'note'],
              ['docs', 'note'],
            ].map(([a, b]) => ({ id: a! + b, sources: [a], targets: [b], labels: [] })),
          };
          w.onmessage = (m) => r(JSON.stringify(m.data).slice(0, 100) + (performance.now() - t));
          w.postMessage({ id: 0, cmd: 'register', algorithms: ['layered'] });
          let load = 0;
          w.onmessage = (m) => {
            if (m.data.id === 0) load = performance.now() - t;
            else r(JSON.stringify(m.data).slice(0, 60) + ' load ' + load + ' all ' + (performance.now() - t));
          };
          w.postMessage({
            id: 1,
            cmd: 'layout',
            graph,
            layoutOptions: {},
            options: { logging: false, measureExecutionTime: false },
          });
          setTimeout(() => r('nothing'), 20000);
        }),
      drop,
    ),
  );
await browser.close();
