// SPDX-License-Identifier: Apache-2.0

import { call, type State } from '../api'
import { type Loaded, useLoad } from './load'

/** How often what moves is asked for while it is looked at, in milliseconds. */
export const every = 10_000

/** How Bowline is doing, as far as the caller may know. The views that show it share what was answered last. */
export function useBowline(): Loaded<State> {
  return useLoad('state', (signal) => call('get', '/api/bowline/v1/state', {}, signal), every)
}
