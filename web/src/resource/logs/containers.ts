// SPDX-License-Identifier: Apache-2.0

/** A container that has a log. */
export interface Container {
  name: string
  init: boolean
}

type Tree = { [field: string]: unknown }

function fieldsOf(of: unknown, ...path: string[]): Tree | undefined {
  let at = of
  for (const name of path) at = (at as Tree | undefined)?.[name]
  return typeof at === 'object' && at !== null ? (at as Tree) : undefined
}

/** The containers of a live pod, or of the pods that a live object makes; none if it does not say. */
export function containersOf(live: unknown): Container[] {
  const spec =
    fieldsOf(live, 'spec', 'jobTemplate', 'spec', 'template', 'spec') ??
    fieldsOf(live, 'spec', 'template', 'spec') ??
    fieldsOf(live, 'spec')
  const named = (field: string, init: boolean) =>
    (Array.isArray(spec?.[field]) ? (spec[field] as Tree[]) : []).flatMap((one) =>
      typeof one?.name === 'string' ? [{ name: one.name, init }] : [],
    )
  return [...named('containers', false), ...named('ephemeralContainers', false), ...named('initContainers', true)]
}
