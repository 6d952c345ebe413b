// SPDX-License-Identifier: Apache-2.0

/** The part of the list that the server keeps telling of. */
export interface Window {
  offset: number
  limit: number
}

const least = 200
const most = 1000 // the API's limit
const step = 50

/** The window that a list begins with. */
export const firstWindow: Window = { offset: 0, limit: least }

/**
 * The window to follow while the rows from first to last (behind the end) are seen: the one there is as long as enough is left of
 * it on both sides, else one around what is seen. It moves in steps, so that little scrolling asks for nothing.
 */
export function windowFor(had: Window, first: number, last: number, total: number): Window {
  const seen = Math.max(0, last - first)
  const limit = Math.min(most, Math.max(least, Math.ceil((seen + 3 * step) / step) * step))
  const above = had.offset === 0 || first - had.offset >= step
  const below = had.offset + had.limit >= total || had.offset + had.limit - last >= step
  if (above && below && had.limit >= Math.min(limit, total)) return had
  const middle = (first + last) / 2
  const offset = Math.max(0, Math.round((middle - limit / 2) / step) * step)
  return { offset, limit }
}
