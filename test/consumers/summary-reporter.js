/** Prints the name of each skipped test, and the totals as the last line of the log. */
module.exports = class {
  onRunComplete(_contexts, results) {
    const all = results.testResults.flatMap((file) => file.testResults);
    for (const { fullName } of all.filter(({ status }) => status === 'pending' || status === 'todo')) {
      console.log(`SKIPPED: ${fullName}`);
    }
    const broken = results.testResults.filter(({ testExecError }) => testExecError).length;
    // After jest's own summary.
    process.on('exit', () => console.log(`${results.numPassedTests} passed, ${results.numFailedTests + broken} failed`));
  }
};
