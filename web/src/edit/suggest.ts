// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks'
import { call, errorOf } from '../api'

/** What can be chosen, and why it is not known if it is not. Whatever is not suggested can be typed all the same. */
export interface Suggested {
  names: string[]
  problem: string | undefined
}

const nothing: Suggested = { names: [], problem: undefined }

/** Suggestions for a key, asked for a moment after it was typed; "" asks for none. */
function useSuggested(key: string, ask: (signal: AbortSignal) => Promise<string[]>): Suggested {
  const [suggested, setSuggested] = useState(nothing)
  useEffect(() => {
    if (!key) {
      setSuggested(nothing)
      return
    }
    const abort = new AbortController()
    const timer = setTimeout(() => {
      ask(abort.signal).then(
        (names) => setSuggested({ names, problem: undefined }),
        (thrown) =>
          abort.signal.aborted ||
          setSuggested({ names: [], problem: `Nothing to suggest: ${errorOf(thrown).message}` }),
      )
    }, 400)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [key])
  return suggested
}

const words = (list: (string | undefined)[]) =>
  [...new Set(list.filter((one) => one !== undefined && one !== ''))] as string[]

export function useProjects(): Suggested {
  return useSuggested('projects', async (signal) => {
    const found = await call('get', '/api/v1/projects', { query: { fields: 'items.metadata.name' } }, signal)
    return words((found.items ?? []).map((one) => one?.metadata?.name))
  })
}

export function useRepositories(): Suggested {
  return useSuggested('repositories', async (signal) => {
    const found = await call('get', '/api/v1/repositories', {}, signal)
    return words((found.items ?? []).map((one) => one?.repo))
  })
}

/** The clusters by name and by address. */
export function useClusters(): { names: Suggested; servers: string[] } {
  const both = useSuggested('clusters', async (signal) => {
    const found = await call('get', '/api/v1/clusters', {}, signal)
    return (found.items ?? []).map((one) => `${one?.name ?? ''}\n${one?.server ?? ''}`)
  })
  const column = (at: number) => words(both.names.map((one) => one.split('\n')[at]))
  return { names: { names: column(0), problem: both.problem }, servers: column(1) }
}

/** Branches and tags of a repository. */
export function useRefs(repo: string, project: string): Suggested {
  return useSuggested(repo && `${repo} ${project}`, async (signal) => {
    const request = { path: { repo }, query: { appProject: project } }
    const found = await call('get', '/api/v1/repositories/{repo}/refs', request, signal)
    return words(['HEAD', ...(found.branches ?? []), ...(found.tags ?? [])])
  })
}

/** Folders of a repository that an application can be of. */
export function usePaths(repo: string, revision: string, project: string): Suggested {
  return useSuggested(repo && `${repo} ${revision} ${project}`, async (signal) => {
    const request = { path: { repo }, query: { revision: revision || 'HEAD', appProject: project } }
    const found = await call('get', '/api/v1/repositories/{repo}/apps', request, signal)
    return words((found.items ?? []).map((one) => one?.path))
  })
}

/** Charts of a Helm repository, each with its versions behind it. */
export function useCharts(repo: string, project: string): { charts: Suggested; versions: (chart: string) => string[] } {
  const found = useSuggested(repo && `${repo} ${project}`, async (signal) => {
    const request = { path: { repo }, query: { appProject: project } }
    const index = await call('get', '/api/v1/repositories/{repo}/helmcharts', request, signal)
    return (index.items ?? []).map((one) => [one?.name ?? '', ...(one?.versions ?? [])].join('\n'))
  })
  const charts = { names: words(found.names.map((one) => one.split('\n')[0])), problem: found.problem }
  const versions = (chart: string) =>
    found.names
      .find((one) => one.startsWith(`${chart}\n`))
      ?.split('\n')
      .slice(1) ?? []
  return { charts, versions }
}
