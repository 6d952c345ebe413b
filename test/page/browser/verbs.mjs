// SPDX-License-Identifier: Apache-2.0

// The words that phases are written in. README.md lists them.
import { readFileSync, writeFileSync } from 'node:fs'

const patience = 45_000

/** verbs returns the words, about the first window; a window is opened by the first phase that needs it. */
export async function verbs(stage) {
  if (stage.pages.length === 0) await open(stage)
  return words(stage, stage.pages[0])
}

/** open opens a window with cookies of its own: another browser, to the server. */
async function open(stage, settings = {}) {
  const context = await stage.browser.newContext({
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
    ...settings,
  })
  context.setDefaultTimeout(patience)
  await guard(stage, context)
  const page = await context.newPage()
  stage.pages.push(page)
  return page
}

/** guard notes whatever no page of ours may do, in every window and from its first moment on. */
async function guard(stage, context) {
  const note = (what) => stage.problems.push(what)
  await context.exposeBinding('reportProblem', (_, what) => note(what))
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (e) => {
      reportProblem(`the content security policy forbids ${e.effectiveDirective} ${e.blockedURI} (${e.sourceFile}:${e.lineNumber})`)
    })
  })
  context.on('request', (request) => {
    const url = new URL(request.url())
    if (!['data:', 'blob:', 'about:'].includes(url.protocol) && url.origin !== new URL(stage.address).origin) note(`a request to ${url}`)
  })
  context.on('console', (message) => {
    // That an answer was 401 or 404 is the server's to say; stories look at what the page makes of it.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) note(`console: ${message.text()}`)
  })
  context.on('weberror', (error) => note(`thrown: ${error.error().stack ?? error.error()}`))
  context.on('dialog', (dialog) => {
    note(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
}

function words(stage, page) {
  const role = (name) => (label, options) => page.getByRole(name, { name: label, ...options })
  const w = {
    page,
    env: stage.env,
    address: stage.address,
    button: role('button'),
    link: role('link'),
    heading: role('heading'),
    tab: role('tab'),
    field: (label) => page.getByLabel(label),
    text: (wanted) => page.getByText(wanted),
    go: (path) => page.goto(new URL(path, stage.address).href),
    see: (locator) => locator.first().waitFor({ state: 'visible' }),
    gone: (locator) => locator.first().waitFor({ state: 'hidden' }),
    until: (what, so) => until(what, so),
    must: (so, what) => {
      if (!so) throw new Error(what)
    },
    signIn: (name, password) => signIn(w, name, password),
    window: async (settings) => words(stage, await open(stage, settings)),
    axe: (options) => axe(stage, page, options),
    fits: () => fits(page),
    photograph: (file) => photograph(page, file),
    focused: () => page.evaluate(() => document.activeElement?.textContent || document.activeElement?.getAttribute('aria-label') || ''),
  }
  return w
}

/** until asks again and again whether something is so. */
async function until(what, so) {
  const end = Date.now() + patience
  for (;;) {
    if (await so()) return
    if (Date.now() > end) throw new Error(`it never came to be: ${what}`)
    await new Promise((next) => setTimeout(next, 50))
  }
}

async function signIn(w, name, password) {
  await w.go('/')
  await w.field('Username').fill(name)
  await w.field('Password').fill(password)
  await w.button('Sign in', { exact: true }).click()
  await w.see(w.page.getByRole('heading', { name: 'Applications' }))
}

let axeSource

/**
 * axe looks for what people cannot use. It runs in a world of its own beside the page's scripts, so that the policy of the page is
 * as it is for everybody.
 */
async function axe(stage, page, { except = [] } = {}) {
  axeSource ??= readFileSync(stage.need.resolve('axe-core/axe.min.js'), 'utf8')
  await calm(page)
  const devtools = await page.context().newCDPSession(page)
  try {
    const { frameTree } = await devtools.send('Page.getFrameTree')
    const { executionContextId: contextId } = await devtools.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' })
    const evaluate = async (expression) => {
      const { result, exceptionDetails } = await devtools.send('Runtime.evaluate', { expression, contextId, awaitPromise: true, returnByValue: true })
      if (exceptionDetails) throw new Error(`axe: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`)
      return result.value
    }
    await evaluate(axeSource)
    const found = await evaluate(`axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => ({
      id: v.id, help: v.help, nodes: v.nodes.slice(0, 5).map((n) => n.html.slice(0, 200) + ' | ' + (n.any[0] ?? n.all[0] ?? n.none[0])?.message) })))`)
    const wrong = found.filter((v) => !except.includes(v.id))
    if (wrong.length > 0) throw new Error(`axe at ${page.url()}:\n${wrong.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.join('\n  ')}`).join('\n')}`)
  } finally {
    await devtools.detach()
  }
}

/** calm waits until nothing moves: colours on their way to others are those of nobody. */
async function calm(page) {
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
  await until('nothing moves', () => page.evaluate(() => document.getAnimations().every((a) => a.playState !== 'running')))
}

/** fits fails if the page can be scrolled sideways, and names what sticks out. */
async function fits(page) {
  const out = await page.evaluate(() => {
    const width = document.documentElement.clientWidth
    if (document.documentElement.scrollWidth <= width) return []
    return [...document.querySelectorAll('body *')]
      .filter((e) => e.getBoundingClientRect().right > width + 1)
      .slice(0, 8)
      .map((e) => `<${e.localName} class="${e.className}"> ${(e.textContent ?? '').slice(0, 60)}`)
  })
  if (out.length > 0) throw new Error(`${page.url()} is wider than the window: ${out.join('\n')}`)
}

/** photograph writes what is on the screen to a file of the format that takes the least room. */
async function photograph(page, file) {
  const devtools = await page.context().newCDPSession(page)
  try {
    const { data } = await devtools.send('Page.captureScreenshot', { format: 'webp', quality: 82 })
    writeFileSync(file, Buffer.from(data, 'base64'))
  } finally {
    await devtools.detach()
  }
}
