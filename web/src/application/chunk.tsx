// SPDX-License-Identifier: Apache-2.0

import type { ComponentType } from 'preact'
import { useEffect, useReducer } from 'preact/hooks'
import { type ApiError, errorOf } from '../api'
import { Failure, Skeleton } from '../kit'

/**
 * A part of the page that is loaded when it is first shown; lines is how high it is about to be. One that does not come says so in
 * its place, and can be asked for again.
 */
export function chunk<P extends object>(load: () => Promise<ComponentType<P>>, lines = 6): ComponentType<P> {
  let loaded: ComponentType<P> | undefined
  let failed: ApiError | undefined
  return function Chunk(props: P) {
    const [tries, again] = useReducer((n: number) => n + 1, 0)
    useEffect(() => {
      if (loaded) return
      let here = true
      load().then(
        (component) => {
          loaded = component
          if (here) again(0)
        },
        (thrown) => {
          failed = errorOf(thrown)
          if (here) again(0)
        },
      )
      return () => {
        here = false
      }
    }, [failed === undefined && tries])
    const Component = loaded
    if (Component) return <Component {...props} />
    if (!failed) return <Skeleton lines={lines} />
    const retry = () => {
      failed = undefined
      again(0)
    }
    return <Failure error={failed} doing="load this part of the page" retry={retry} />
  }
}
