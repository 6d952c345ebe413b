// SPDX-License-Identifier: Apache-2.0

import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { type ApiError, errorOf } from '../api/error'
import { session } from '../session/signal'

/** What was answered before, by what was asked: going back to a view shows it at once. It is forgotten with the session. */
const known = new Map<string, { data: unknown; at: number }>()
let owner = ''

export interface Loaded<T> {
  /** What is known; undefined before the first answer. */
  data: T | undefined
  /** Why the last attempt failed. What was known before stays in data. */
  error: ApiError | undefined
  /** When data was answered, in milliseconds. */
  at: number
  reload: () => Promise<void>
}

/**
 * Asks the API when a view opens, again whenever reload is called or key changes, and every so many milliseconds while the page is
 * looked at.
 */
export function useLoad<T>(key: string, ask: (signal: AbortSignal) => Promise<T>, every = 0): Loaded<T> {
  forgetOthers()
  const [, draw] = useState(0)
  const failure = useRef<{ key: string; error: ApiError } | undefined>(undefined)
  const asking = useRef<AbortController | undefined>(undefined)
  const current = useRef({ key, ask })
  current.current = { key, ask }

  const reload = useCallback(async () => {
    asking.current?.abort()
    const abort = new AbortController()
    asking.current = abort
    const { key: asked, ask: question } = current.current
    try {
      const data = await question(abort.signal)
      if (abort.signal.aborted) return
      known.set(asked, { data, at: Date.now() })
      failure.current = undefined
    } catch (thrown) {
      if (abort.signal.aborted) return
      failure.current = { key: asked, error: errorOf(thrown) }
    }
    draw((n) => n + 1)
  }, [])

  useEffect(() => {
    void reload()
    return () => asking.current?.abort()
  }, [key, reload])
  useEffect(() => {
    if (every <= 0) return
    const look = () => {
      if (!document.hidden) void reload()
    }
    const timer = setInterval(look, every)
    document.addEventListener('visibilitychange', look)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [every, reload])

  const kept = known.get(key)
  return {
    data: kept?.data as T | undefined,
    error: failure.current?.key === key ? failure.current.error : undefined,
    at: kept?.at ?? 0,
    reload,
  }
}

function forgetOthers() {
  const now = session.value.is === 'in' ? `${session.value.issuer} ${session.value.username}` : ''
  if (now === owner) return
  owner = now
  known.clear()
}

/** Something that is being done: whether it is under way, and how it failed. */
export function useDoing(): {
  busy: boolean
  error: ApiError | undefined
  clear: () => void
  run: (doing: () => Promise<void>) => Promise<void>
} {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | undefined>(undefined)
  const clear = useCallback(() => setError(undefined), [])
  const run = useCallback(async (doing: () => Promise<void>) => {
    setBusy(true)
    setError(undefined)
    try {
      await doing()
    } catch (thrown) {
      setError(errorOf(thrown))
    } finally {
      setBusy(false)
    }
  }, [])
  return { busy, error, clear, run }
}
