// SPDX-License-Identifier: Apache-2.0

/** How many calls run side by side: browsers allow six connections to a server, and the streams need theirs. */
export const sideBySide = 4

/** Does something with each item, a few side by side and in their order. It ends early when the signal says so, and throws nothing. */
export async function paced<T>(
  items: readonly T[],
  signal: AbortSignal,
  each: (item: T) => Promise<void>,
  width = sideBySide,
) {
  let next = 0
  const work = async () => {
    while (next < items.length && !signal.aborted) {
      const item = items[next++] as T
      try {
        await each(item)
      } catch {
        // Each item tells of its own failure; one that does not must not keep the others from their turn.
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, work))
}
