// Writes the CPU time in microseconds, the peak memory in KiB, and the loaded files of the process when it exits.
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const files = Object.keys(require.cache).filter((file) => file !== __filename);
  require('fs').writeFileSync(process.env.BENCH_USAGE, JSON.stringify({ cpu: userCPUTime + systemCPUTime, memory: maxRSS, files }));
});
