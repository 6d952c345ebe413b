// SPDX-License-Identifier: Apache-2.0

import { useCallback, useEffect, useState } from 'preact/hooks'
import { type ApiError, errorOf } from '../api'

/** What a call answered for a key: nothing yet, a value with its time, or an error beside what was known. */
export interface Loaded<T> {
  value?: T
  error?: ApiError
  /** When the value was read. */
  at?: number
  again: () => void
}

/**
 * Reads something for a key, and anew when the key or the turn changes. A value of another key is never shown for this one; a value
 * of an earlier turn stays while the next is read. Without a key nothing is read.
 */
export function useLoaded<T>(
  key: string | undefined,
  read: (signal: AbortSignal) => Promise<T>,
  turn: unknown = 0,
): Loaded<T> {
  const [kept, keep] = useState<{ key?: string | undefined; value?: T; error?: ApiError; at?: number }>({})
  const [asked, ask] = useState(0)
  useEffect(() => {
    if (key === undefined) return
    const abort = new AbortController()
    read(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) keep({ key, value, at: Date.now() })
      },
      (thrown) => {
        if (abort.signal.aborted) return
        keep((was) => ({ ...(was.key === key ? was : { key }), error: errorOf(thrown) }))
      },
    )
    return () => abort.abort()
  }, [key, asked, turn])
  const again = useCallback(() => ask((n) => n + 1), [])
  if (kept.key !== key) return { again }
  return { ...kept, again }
}
