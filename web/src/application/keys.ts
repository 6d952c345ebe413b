// SPDX-License-Identifier: Apache-2.0

import { useQuery } from '../route/query'
import { useCommands } from '../shell/commands'
import { tabs } from './views'

/** The keys of the views: v and the first letter of its name. Names that begin alike have another letter. */
const letters: Record<string, string> = { pods: 'o', edit: 'd' }

/** Offers the views of the application, and the search in them, in the palette and by keys. */
export function useViewCommands(name: string) {
  const { set } = useQuery()
  useCommands(
    () => [
      ...tabs.map(({ id, label }) => ({
        id: `view-${id}`,
        label: `Show ${label}`,
        group: name,
        icon: 'right' as const,
        keys: `v ${letters[id] ?? id.charAt(0)}`,
        run: () => set({ tab: id }, true),
      })),
      { id: 'search-objects', label: 'Search objects', group: name, icon: 'search' as const, keys: '/', run: search },
    ],
    [name],
  )
}

function search() {
  document.querySelector<HTMLInputElement>('.filter-search input')?.focus()
}
