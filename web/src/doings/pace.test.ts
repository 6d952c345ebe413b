// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest'
import { paced } from './pace'

/** A task whose end is in the hands of the test. */
function gate() {
  let open = () => {}
  const done = new Promise<void>((resolve) => {
    open = resolve
  })
  return { done, open }
}

test('a few run side by side, the next begins when one ends', async () => {
  const gates = Array.from({ length: 5 }, gate)
  const begun: number[] = []
  const all = paced(
    [0, 1, 2, 3, 4],
    new AbortController().signal,
    (i) => {
      begun.push(i)
      return gates[i]?.done ?? Promise.resolve()
    },
    2,
  )
  expect(begun).toEqual([0, 1])
  gates[1]?.open()
  await gates[1]?.done
  await Promise.resolve()
  expect(begun).toEqual([0, 1, 2])
  for (const one of gates) one.open()
  await all
  expect(begun).toEqual([0, 1, 2, 3, 4])
})

test('one that fails keeps no other back', async () => {
  const seen: number[] = []
  await paced([1, 2, 3], new AbortController().signal, async (i) => {
    seen.push(i)
    if (i === 1) throw new Error('refused')
  })
  expect(seen).toEqual([1, 2, 3])
})

test('no more begin once it is given up', async () => {
  const abort = new AbortController()
  const seen: number[] = []
  await paced(
    [1, 2, 3],
    abort.signal,
    async (i) => {
      seen.push(i)
      abort.abort()
    },
    1,
  )
  expect(seen).toEqual([1])
})
