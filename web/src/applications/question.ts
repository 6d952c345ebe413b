// SPDX-License-Identifier: Apache-2.0

import type { paths } from '../api/schema'
import type { QueryChange } from '../route/query'

/** What the API's lists of applications are asked with. */
export type ListQuery = NonNullable<paths['/api/bowline/v1/applications']['get']['parameters']['query']> & {
  names?: string[]
}

/** What applications can be chosen by: names of the API's facets, and of the address's parameters. */
export const facetNames = [
  'attention',
  'health',
  'sync',
  'operation',
  'projects',
  'clusters',
  'namespaces',
  'repos',
  'labels',
  'owners',
  'autoSync',
] as const
export type Facet = (typeof facetNames)[number]

/** The facets in words for people: one and many. */
export const facetWords: Record<Facet, string> = {
  attention: 'Attention',
  health: 'Health',
  sync: 'Sync',
  operation: 'Last operation',
  projects: 'Project',
  clusters: 'Cluster',
  namespaces: 'Namespace',
  repos: 'Repository',
  labels: 'Label',
  owners: 'Owner',
  autoSync: 'Auto-sync',
}

export const worstFirst = 'attention'

/** What can be sorted by, in words. */
export const sorts: { value: string; label: string }[] = [
  { value: worstFirst, label: 'Worst first' },
  { value: 'name', label: 'Name' },
  { value: '-name', label: 'Name, Z to A' },
  { value: 'project', label: 'Project' },
  { value: 'health', label: 'Health' },
  { value: 'sync', label: 'Sync' },
  { value: '-synced', label: 'Last synced first' },
  { value: 'synced', label: 'Longest not synced first' },
  { value: '-created', label: 'Newest first' },
  { value: 'created', label: 'Oldest first' },
]

/** What is asked of the list: all of it is in the address, so that a link shows the same. */
export interface Question {
  search: string
  selector: string
  chosen: Record<Facet, string[]>
  favourites: boolean
  sort: string
  group: string
  /** Values of folded groups; "" is the group of what has none. */
  folded: string[]
  tiles: boolean
}

/** How the address writes the group of what has no value: parameters without a value are left out of addresses. */
const none = '-'

/** The question that an address asks. */
export function questionOf(params: URLSearchParams): Question {
  const chosen = Object.fromEntries(facetNames.map((f) => [f, params.getAll(f)])) as Question['chosen']
  return {
    search: params.get('search') ?? '',
    selector: params.get('selector') ?? '',
    chosen,
    favourites: params.get('favourites') === 'true',
    sort: params.get('sort') ?? worstFirst,
    group: params.get('group') ?? '',
    folded: params.getAll('folded').map((v) => (v === none ? '' : v)),
    tiles: params.get('view') === 'tiles',
  }
}

/** The parameters of the API that ask the same, without the window. */
export function asked(q: Question, favourites: string[]): ListQuery {
  const out: ListQuery = { sort: q.sort }
  if (q.search.trim()) out.search = q.search.trim()
  if (q.selector) out.selector = q.selector
  for (const facet of facetNames) if (q.chosen[facet].length > 0) out[facet] = q.chosen[facet]
  // Who has no favourites is shown none, and not everything: no application is called so.
  if (q.favourites) out.names = favourites.length > 0 ? favourites : ['-/-']
  if (q.group) out.group = q.group
  if (q.group && q.folded.length > 0) out.folded = q.folded
  return out
}

/** Takes a value into what is chosen, or out of it. */
export function toggled(q: Question, facet: Facet, value: string): QueryChange {
  const had = q.chosen[facet]
  return { [facet]: had.includes(value) ? had.filter((v) => v !== value) : [...had, value] }
}

/** Chooses one value alone, or none if it was chosen alone already. */
export function only(q: Question, facet: Facet, value: string): QueryChange {
  const had = q.chosen[facet]
  return { [facet]: had.length === 1 && had[0] === value ? [] : [value] }
}

/** Folds a group, or unfolds it. */
export function fold(q: Question, value: string): QueryChange {
  const next = q.folded.includes(value) ? q.folded.filter((v) => v !== value) : [...q.folded, value]
  return { folded: next.map((v) => v || none) }
}

/**
 * The question that finds one group alone; undefined where none can: what has no value, and repositories, of which an application
 * may have several but stands in the group of the first.
 */
export function groupOnly(q: Question, value: string): Question | undefined {
  if (value === '' || q.group === 'repos') return undefined
  const alone = { ...q, group: '', folded: [] }
  if (q.group.startsWith('label:')) {
    return { ...alone, selector: [q.selector, `${q.group.slice('label:'.length)}=${value}`].filter(Boolean).join(',') }
  }
  const facet = facetNames.find((f) => f === q.group)
  return facet && { ...alone, chosen: { ...q.chosen, [facet]: [value] } }
}

/** Takes away all that leaves something out. Order and groups stay. */
export function cleared(): QueryChange {
  const out: QueryChange = { search: undefined, selector: undefined, favourites: undefined }
  for (const facet of facetNames) out[facet] = undefined
  return out
}

/** What is chosen, one by one, each with the change that takes it back. */
export interface Choice {
  id: string
  word: string
  value: string
  facet: Facet | undefined
  back: QueryChange
}

export function choices(q: Question): Choice[] {
  const out: Choice[] = []
  if (q.favourites) {
    out.push({ id: 'favourites', word: '', value: 'Favourites', facet: undefined, back: { favourites: undefined } })
  }
  for (const facet of facetNames) {
    for (const value of q.chosen[facet]) {
      out.push({ id: `${facet} ${value}`, word: facetWords[facet], value, facet, back: toggled(q, facet, value) })
    }
  }
  if (q.selector) {
    out.push({ id: 'selector', word: 'Selector', value: q.selector, facet: undefined, back: { selector: undefined } })
  }
  if (q.search.trim()) {
    out.push({ id: 'search', word: 'Search', value: q.search.trim(), facet: undefined, back: { search: undefined } })
  }
  return out
}

/** Whether everything is shown. */
export function unrestricted(q: Question): boolean {
  return choices(q).length === 0
}

/** The order after a column's head is pressed: its own, the other way round, and then worst first again. */
export function sortedBy(now: string, key: string, down = false): string {
  const first = down ? `-${key}` : key
  const second = down ? key : `-${key}`
  if (now === first) return second
  return now === second ? worstFirst : first
}

/** The command that lists the same; whole says whether it can: the command line chooses by less than the page. */
export function listCommand(q: Question): { command: string[]; whole: boolean } {
  const command = ['app', 'list']
  const { projects, clusters, repos, labels } = q.chosen
  for (const project of projects) command.push('-p', project)
  if (clusters.length === 1) command.push('-c', clusters[0]!)
  if (repos.length === 1) command.push('-r', repos[0]!)
  const selector = [...(labels.length === 1 ? labels : []), ...(q.selector ? [q.selector] : [])]
  if (selector.length > 0) command.push('-l', selector.join(','))
  const told = projects.length + [clusters, repos, labels].filter((v) => v.length === 1).length + (q.selector ? 1 : 0)
  return { command, whole: told === choices(q).length }
}
