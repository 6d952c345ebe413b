// SPDX-License-Identifier: Apache-2.0

import { type Command, useCommands } from '../shell/commands'

/** What can be done with an application by keys and in the palette: only what its caller may do, and what makes sense now. */
export function useDoingCommands(of: {
  name: string
  may: string[]
  running: boolean
  held: boolean
  automated: boolean
  open: (what: 'sync' | 'terminate' | 'hold' | 'release' | 'remove') => void
  refresh: () => void
}) {
  useCommands(() => {
    if (!of.name) return []
    const command = (id: string, label: string, icon: Command['icon'], run: () => void, keys?: string): Command => ({
      id: `doing-${id}`,
      label,
      group: of.name,
      ...(icon && { icon }),
      ...(keys && { keys }),
      run,
    })
    const all = [command('refresh', 'Refresh', 'refresh', of.refresh, 'r')]
    if (of.may.includes('sync')) {
      if (of.running) all.push(command('terminate', 'Terminate the operation', 'cross', () => of.open('terminate')))
      else all.push(command('sync', 'Sync', 'sync', () => of.open('sync'), 's'))
      if (of.held) all.push(command('release', 'Release', 'play', () => of.open('release')))
      else if (of.automated) all.push(command('hold', 'Hold', 'pause', () => of.open('hold')))
    }
    if (of.may.includes('delete')) all.push(command('remove', 'Delete', 'trash', () => of.open('remove')))
    return all
  }, [of.name, of.may.join(), of.running, of.held, of.automated])
}
