// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks'
import { type ApiError, call, errorOf, type Plan } from '../api'
import type { planQueryOf } from './choice'
import type { Target } from './target'

export type PlanQuery = Partial<ReturnType<typeof planQueryOf>>

export interface Planned {
  plan: Plan | undefined
  error: ApiError | undefined
  /** Another plan is being made; the one that is there is of what was chosen before. */
  busy: boolean
}

/** Asks for the plan of a sync. */
export function askPlan(target: Target, query: PlanQuery, signal?: AbortSignal): Promise<Plan> {
  return call(
    'get',
    '/api/bowline/v1/applications/{name}/plan',
    { path: { name: target.name }, query: { ...query, appNamespace: target.namespace } },
    signal,
  )
}

/** How long after the last choice a plan is asked for: whoever types a revision asks once. */
const after = 300

/**
 * The plan of a sync, made anew when the query changes or the tick does. What was planned before stays until then.
 */
export function usePlan(target: Target, query: PlanQuery, tick: unknown = 0): Planned {
  const [planned, setPlanned] = useState<Planned>({ plan: undefined, error: undefined, busy: true })
  const key = JSON.stringify([target.namespace, target.name, query, tick])
  useEffect(() => {
    const abort = new AbortController()
    setPlanned((was) => ({ ...was, busy: true }))
    const timer = setTimeout(
      async () => {
        try {
          const plan = await askPlan(target, query, abort.signal)
          setPlanned({ plan, error: undefined, busy: false })
        } catch (thrown) {
          if (!abort.signal.aborted) setPlanned({ plan: undefined, error: errorOf(thrown), busy: false })
        }
      },
      planned.plan || planned.error ? after : 0,
    )
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [key])
  return planned
}
