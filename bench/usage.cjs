// Writes what the process used, in microseconds and KiB, and the files that it loaded, when it ends.
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const files = Object.keys(require.cache).filter((file) => file !== __filename);
  require('fs').writeFileSync(process.env.BENCH_USAGE, JSON.stringify({ cpu: userCPUTime + systemCPUTime, memory: maxRSS, files }));
});
