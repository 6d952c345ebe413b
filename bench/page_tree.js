// SPDX-License-Identifier: Apache-2.0

// The tree: from when its application is opened in the list until it is drawn.
const drawn = []
for (let i = 0; i < Number(env.SAMPLES); i++) {
  await go(`/applications?search=${env.FOREST}`)
  await see(link(env.FOREST))
  await page.evaluate(() => {
    window.openedAt = 0
    window.drawnAt = 0
    addEventListener('click', () => { window.openedAt = performance.now() }, { capture: true, once: true })
    const look = new MutationObserver(() => {
      if (window.openedAt && !window.drawnAt && document.querySelectorAll('[role=treeitem]').length > 1) requestAnimationFrame(() => setTimeout(() => { window.drawnAt ||= performance.now() }))
    })
    look.observe(document.body, { subtree: true, childList: true })
  })
  await link(env.FOREST).first().click()
  await until('the tree is drawn', () => page.evaluate(() => window.drawnAt > 0))
  drawn.push(await page.evaluate(() => window.drawnAt - window.openedAt))
}
say(JSON.stringify({ drawn }))
