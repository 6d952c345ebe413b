// SPDX-License-Identifier: Apache-2.0

import { createContext } from 'preact'
import { useContext, useEffect, useMemo } from 'preact/hooks'
import { type ApplicationView, follow } from '../api'
import { Live } from './live'

const Shown = createContext<Live | undefined>(undefined)

/** Gives what is below it the application that is followed. */
export const ApplicationProvider = Shown.Provider

/** What is known of the application whose page this is, live. */
export function useApplication(): Live {
  const live = useContext(Shown)
  if (!live) throw new Error('useApplication is for what is on the page of an application')
  return live
}

/** Follows an application for as long as the component is shown. Messages are taken over once per frame. */
export function useFollowed(namespace: string, name: string): Live {
  const live = useMemo(() => new Live(), [namespace, name])
  useEffect(() => followInto(live, namespace, name), [live])
  useEffect(() => settle(live), [live])
  return live
}

/** How long what looks at all objects waits for more changes. */
const settling = 150

function settle(live: Live): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = () => {
    timer = undefined
    live.settled.value = live.mood.peek()
  }
  const end = live.mood.subscribe(() => {
    timer ??= setTimeout(look, settling)
  })
  return () => {
    clearTimeout(timer)
    end()
  }
}

function followInto(live: Live, namespace: string, name: string): () => void {
  let waiting: ApplicationView[] = []
  let frame = 0
  const flush = () => {
    frame = 0
    const views = waiting
    waiting = []
    live.take(views, Date.now())
  }
  const stop = follow<ApplicationView>({
    path: '/api/bowline/v1/stream/applications/{name}',
    request: { path: { name }, query: { appNamespace: namespace } },
    each: (view) => {
      waiting.push(view)
      // No frames are drawn of a page in the background.
      if (document.hidden || view.deleted) flush()
      else if (!frame) frame = requestAnimationFrame(flush)
      if (view.deleted) end()
    },
    standing: (now) => {
      live.standing.value = now
    },
  })
  const end = () => {
    cancelAnimationFrame(frame)
    stop()
  }
  return end
}
