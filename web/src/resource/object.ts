// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef, useState } from 'preact/hooks'
import { call, type ObjectView } from '../api'
import { type Loaded, useLoaded } from '../application/loaded'
import { useApplication } from '../application/store'
import { type AppName, objectQuery, type Target } from './target'

/** An object as it is shown: which it is, what is known of it, and of whose application. */
export interface Shown {
  app: AppName
  id: string
  target: Target
  view: Loaded<ObjectView>
}

/** How often an object is read again while it changes all the time. */
const calm = 2_000

/** A value that changes at most once in a while; the last change always comes through. */
function useCalm<T>(value: T): T {
  const [kept, keep] = useState(value)
  const last = useRef(0)
  useEffect(() => {
    const timer = setTimeout(
      () => {
        last.current = Date.now()
        keep(value)
      },
      Math.max(0, last.current + calm - Date.now()),
    )
    return () => clearTimeout(timer)
  }, [value])
  return kept
}

/** Reads an object of the application, and again when it or what is wanted of it changed. */
export function useObject(app: AppName, id: string, target: Target): Shown {
  const live = useApplication()
  const node = live.node(id)
  const compared = live.application.value?.status?.sync
  const turn = useCalm(
    [node?.uid, node?.resourceVersion, node?.sync, node?.differs, compared?.revision, compared?.revisions].join(),
  )
  // The order of nodes says whether the object came or went.
  const known = live.order.value.includes(id)
  const view = useLoaded(
    id,
    (signal) =>
      call(
        'get',
        '/api/bowline/v1/applications/{name}/object',
        { path: { name: app.name }, query: objectQuery(app, target) },
        signal,
      ),
    `${known} ${turn}`,
  )
  return { app, id, target, view }
}

/** Whether the caller may do something with the object: update, delete, logs, exec. What is not known is not offered. */
export function may(view: ObjectView | undefined, verb: string): boolean {
  return view?.may?.includes(verb) ?? false
}

/** Whether values of the object are hidden in all that the server says of it. */
export function hidesValues(target: Target): boolean {
  return target.kind === 'Secret' && target.group === ''
}
