// SPDX-License-Identifier: Apache-2.0

import { useCallback, useMemo } from 'preact/hooks'
import { useLocation } from 'preact-iso'

/** A change of the query: a value, several, or nothing to take the parameter away. */
export type QueryChange = Record<string, string | string[] | undefined>

/** The query of an address after a change; the order of what was there stays. */
export function changed(search: string, change: QueryChange): string {
  const params = new URLSearchParams(search)
  for (const [name, value] of Object.entries(change)) {
    params.delete(name)
    for (const one of Array.isArray(value) ? value : [value]) if (one) params.append(name, one)
  }
  const text = params.toString()
  return text ? `?${text}` : ''
}

/**
 * The query of the address: the state of a view that can be shared as a link. set() changes it; with push it is a step that the
 * browser's back button undoes (another tab, an open panel), else it replaces the present one (typing in a search).
 */
export function useQuery(): { query: URLSearchParams; set: (change: QueryChange, push?: boolean) => void } {
  const { url, route } = useLocation()
  const search = url.includes('?') ? url.slice(url.indexOf('?')) : ''
  const query = useMemo(() => new URLSearchParams(search), [search])
  const set = useCallback(
    (change: QueryChange, push = false) => {
      // What is in the address bar and not what was drawn last: two changes may come before the next drawing.
      const next = changed(location.search, change)
      if (next !== location.search) route(location.pathname + next, !push)
    },
    [route],
  )
  return { query, set }
}
