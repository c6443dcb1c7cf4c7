/** One line for whoever reads only the end of a log; what was skipped is said aloud. */
module.exports = class {
  onRunComplete(_contexts, results) {
    const all = results.testResults.flatMap((file) => file.testResults);
    for (const { fullName } of all.filter(({ status }) => status === 'pending' || status === 'todo')) {
      console.log(`SKIPPED: ${fullName}`);
    }
    const broken = results.testResults.filter(({ testExecError }) => testExecError).length;
    // After the summary of jest itself.
    process.on('exit', () => console.log(`${results.numPassedTests} passed, ${results.numFailedTests + broken} failed`));
  }
};
