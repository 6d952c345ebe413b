// SPDX-License-Identifier: Apache-2.0

import { kept } from './kept'

/** A question under a name. The question is the query of the address: following it is following a link. */
export interface View {
  name: string
  query: string
}

function viewsOf(value: unknown): View[] {
  if (!Array.isArray(value)) return []
  return value.filter(
    (v): v is View =>
      typeof v?.name === 'string' && typeof v?.query === 'string' && (v.query === '' || v.query[0] === '?'),
  )
}

/** The views that the reader keeps. */
export const views = kept('bowline.views', viewsOf)

/** The views that everybody has. */
export const givenViews: View[] = [
  { name: 'All, worst first', query: '' },
  { name: 'Needs someone', query: '?attention=broken&attention=waiting' },
  { name: 'By project', query: '?group=projects' },
  { name: 'By cluster', query: '?group=clusters' },
  { name: 'Wall of tiles', query: '?view=tiles' },
]

/** Keeps a view; one of the same name is replaced. */
export function keepView(list: View[], view: View): View[] {
  const rest = list.filter((v) => v.name !== view.name)
  return [...rest, view].sort((a, b) => a.name.localeCompare(b.name))
}

/** Whether two queries ask the same, in whatever order. */
export function sameQuery(a: string, b: string): boolean {
  const sorted = (query: string) => {
    const params = new URLSearchParams(query)
    params.delete('folded')
    return [...params]
      .map((pair) => pair.join('='))
      .sort()
      .join('&')
  }
  return sorted(a) === sorted(b)
}
