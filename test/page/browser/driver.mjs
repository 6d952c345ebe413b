// SPDX-License-Identifier: Apache-2.0

// The other end of browser.go: it drives one Chromium and does what it is told, a line of JSON for each phase, and answers each
// with a line. Phases are scripts whose words are those of verbs.mjs.
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { verbs } from './verbs.mjs'

const given = JSON.parse(process.argv[2])
const need = createRequire(join(given.modules, 'package.json'))
const { chromium } = need('playwright-core')

const browser = await chromium.launch({
  executablePath: given.chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--force-color-profile=srgb', '--font-render-hinting=none', ...(given.args ?? [])],
})
const problems = []
const stage = { browser, given, need, problems, pages: [] }
const AsyncFunction = (async () => {}).constructor

/** One phase. What the page did wrong meanwhile fails it, whatever the script thought of it. */
async function play({ name, script, env, address }) {
  stage.env = env ?? {}
  stage.address = address
  const words = await verbs(stage)
  const said = []
  words.say = (text) => said.push(typeof text === 'string' ? text : JSON.stringify(text))
  try {
    await new AsyncFunction(...Object.keys(words), script)(...Object.values(words))
    if (problems.length > 0) throw new Error('the page did what it must not do')
    return { ok: true, said }
  } catch (thrown) {
    return { ok: false, said, error: await explain(name, thrown) }
  }
}

/** explain says what is on the screen beside what went wrong, and keeps a picture of it. */
async function explain(name, thrown) {
  const lines = [String(thrown?.stack ?? thrown).replace(/\u001b\[[0-9;]*m/g, ''), ...problems.splice(0).map((p) => `problem: ${p}`)]
  for (const [i, page] of stage.pages.entries()) {
    if (page.isClosed()) continue
    const picture = join(given.pictures, `${name.replace(/[^\w.-]+/g, '-')}-${i + 1}.png`)
    lines.push(`--- window ${i + 1} at ${page.url()}, picture in ${picture}`)
    try {
      await page.screenshot({ path: picture, timeout: 10_000 })
      lines.push(await page.locator('body').ariaSnapshot({ timeout: 10_000 }))
    } catch (gone) {
      lines.push(String(gone))
    }
  }
  return lines.join('\n')
}

process.stdout.write('{"ok":true}\n')
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await play(JSON.parse(line)))}\n`)
}
await browser.close()
