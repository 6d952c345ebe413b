// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks'

type Library = typeof import('./library')

let library: Library | undefined
let loading: Promise<Library> | undefined

function load(): Promise<Library> {
  loading ??= import('./library').then(
    (loaded) => {
      library = loaded
      return loaded
    },
    (thrown) => {
      loading = undefined // to be tried again
      throw thrown
    },
  )
  return loading
}

/** The library for YAML, once it is loaded; failed says that it could not be. */
export function useYaml(): { yaml?: Library; failed?: unknown } {
  const [state, setState] = useState<{ yaml?: Library; failed?: unknown }>(library ? { yaml: library } : {})
  useEffect(() => {
    let here = true
    if (!library) {
      load().then(
        (yaml) => here && setState({ yaml }),
        (failed) => here && setState({ failed }),
      )
    }
    return () => {
      here = false
    }
  }, [])
  return state
}

/**
 * An object as YAML, in the order in which people write it, without aliases and without breaking lines. Texts such as yes, which
 * readers of YAML 1.1 take for something else, are quoted: kubectl is one of these.
 */
export function yamlOf(yaml: Library, object: unknown): string {
  return yaml.stringify(ordered(object), { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' })
}

const first = ['apiVersion', 'kind', 'metadata', 'spec']
const last = ['status']

function ordered(object: unknown): unknown {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return object
  const place = (name: string) => (first.includes(name) ? first.indexOf(name) : last.includes(name) ? 99 : 50)
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => place(a) - place(b)))
}
