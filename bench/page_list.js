// SPDX-License-Identifier: Apache-2.0

// The list: how long after the page is loaded it shows applications, how long a key takes in the search, what it takes of memory.
await page.addInitScript(() => {
  window.measured = { usable: 0, shift: 0, long: 0, longWorst: 0, keys: [] }
  const m = window.measured
  const look = new MutationObserver(() => {
    if (!m.usable && document.querySelector('[data-place] a')) requestAnimationFrame(() => { m.usable ||= performance.now() })
  })
  look.observe(document, { subtree: true, childList: true })
  new PerformanceObserver((l) => { for (const e of l.getEntries()) if (!e.hadRecentInput) m.shift += e.value }).observe({ type: 'layout-shift', buffered: true })
  new PerformanceObserver((l) => { for (const e of l.getEntries()) if (e.duration > 100) { m.long++; m.longWorst = Math.max(m.longWorst, e.duration) } }).observe({ type: 'longtask', buffered: true })
  addEventListener('keydown', () => {
    const at = performance.now()
    requestAnimationFrame(() => setTimeout(() => m.keys.push(performance.now() - at)))
  }, true)
})
const usable = []
let shift = 0
let long = 0
let longWorst = 0
const keep = async () => {
  const m = await page.evaluate(() => window.measured)
  shift = Math.max(shift, m.shift)
  long += m.long
  longWorst = Math.max(longWorst, m.longWorst)
  return m
}
for (let i = 0; i < Number(env.SAMPLES); i++) {
  await go('/applications')
  await see(page.locator('[data-place] a'))
  await until('it is measured', () => page.evaluate(() => window.measured.usable > 0))
  const loaded = await page.evaluate(() => performance.getEntriesByType('navigation')[0].loadEventEnd)
  usable.push(Math.max(0, (await keep()).usable - loaded))
}
const search = page.getByRole('searchbox', { name: 'Search applications' })
await search.focus()
for (const letter of 'listed-01234') {
  await page.keyboard.press(letter)
  await page.waitForTimeout(120)
}
await see(link('listed-01234'))
const { keys } = await keep()
const devtools = await page.context().newCDPSession(page)
await devtools.send('HeapProfiler.collectGarbage')
const counters = await devtools.send('Performance.enable').then(() => devtools.send('Performance.getMetrics'))
const heap = counters.metrics.find((m) => m.name === 'JSHeapUsedSize').value
await devtools.detach()
const system = await page.context().browser().newBrowserCDPSession()
const { processInfo } = await system.send('SystemInfo.getProcessInfo')
const { readFileSync } = process.getBuiltinModule('node:fs')
const anonymous = processInfo.filter((p) => p.type === 'renderer').map((p) => Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${p.id}/status`, 'utf8'))?.[1] ?? 0))
say(JSON.stringify({ usable, keys, shift, long, longWorst, miB: Math.max(heap / 2 ** 20, Math.max(...anonymous) / 1024) }))
