// What a run of the tests came to: the slowest files, each test that did not pass, and the line `N passed, N failed`.
//   node .ci/report.mjs RESULTS FAILED_CHECKS STATUS_OF_THE_TESTS
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const SLOWEST = 20;

const [results, failedChecks, testsStatus] = process.argv.slice(2);
let report = { numPassedTests: 0, testResults: [] };
// A failed check, a file that did not load and a run that broke off or left no results count as one failure each; so does a
// skipped test.
let failed = 0;
try {
  report = JSON.parse(readFileSync(results, 'utf8'));
} catch (error) {
  console.error(`No test results: ${error.message}`);
  failed += 1;
}

const slowest = report.testResults
  .map(({ name, startTime, endTime, assertionResults }) => ({
    name,
    ms: endTime - startTime,
    tests: assertionResults.length,
  }))
  .toSorted((a, b) => b.ms - a.ms)
  .slice(0, SLOWEST);
console.log(`The ${slowest.length} slowest files of ${report.testResults.length}:`);
for (const { name, ms, tests } of slowest) {
  console.log(`${(ms / 1000).toFixed(1).padStart(7)} s  ${String(tests).padStart(4)} tests  ${relative('', name)}`);
}

for (const file of report.testResults) {
  const bad = file.assertionResults.filter(({ status }) => status !== 'passed');
  for (const { status, fullName } of bad) console.log(`${status}: ${relative('', file.name)}: ${fullName}`);
  failed += bad.length;
  if (file.status !== 'passed' && bad.length === 0) failed += 1;
}
if (failed === 0 && testsStatus !== '0') failed = 1;
failed += Number(failedChecks);
console.log(`${report.numPassedTests} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
