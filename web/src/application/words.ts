// SPDX-License-Identifier: Apache-2.0

import type { Application, Row } from '../api'
import { own } from '../safe/own'

type Condition = NonNullable<NonNullable<Application['status']>['conditions']>[number]

/** A condition in words: what it is, what to do, and every message of its type. */
export interface Said {
  type: string
  title: string
  fix: string
  bad: boolean
  since: string | undefined
  messages: string[]
}

const conditions: Record<string, [title: string, fix: string]> = {
  InvalidSpecError: [
    'Its settings cannot be used',
    'Change what the message names, here under Edit or where the application is declared. Until then nothing is compared or synced.',
  ],
  ComparisonError: [
    'What should be there is not known',
    'Look at the repository, the path and the manifests that the message names. It is tried again by itself, and at once with Refresh.',
  ],
  SyncError: [
    'Automated sync gave up',
    'The same revision is not tried again by itself. Mend the cause and push it, or sync by hand.',
  ],
  DeletionError: ['It could not be deleted', 'Remove what stands in the way; the deletion goes on by itself.'],
  DeletionWarning: ['Its deletion waits', 'It goes on by itself when what it waits for is done.'],
  UnknownError: ['Something failed', 'Refresh. If it comes again, look at the events and the log of Bowline.'],
  SharedResourceWarning: [
    'Another application has some of its objects',
    'Leave each object to one application only: take it out of the source of the other.',
  ],
  RepeatedResourceWarning: [
    'Its source has the same object more than once',
    'Only the last one counts. Keep one of them in the source.',
  ],
  ExcludedResourceWarning: [
    'Some of its objects are of kinds that are left out',
    'They are not synced. Take them out of the source, or change resource.exclusions of argocd-cm.',
  ],
  OrphanedResourceWarning: [
    'There are objects that belong to no application',
    'Show them with Orphans in the tree; delete them, or let the project ignore them.',
  ],
  HoldWarning: [
    'Automated sync is held',
    'It goes on when the source brings something else, when the hold ends, or when you release it.',
  ],
  SyncWindowWarning: [
    'A sync window keeps automated sync back',
    'It goes on by itself when the window lets it. Who may can pass the window with a reason, in the dialog of Sync.',
  ],
  DependencyWarning: [
    'It waits for another application',
    'It goes on by itself when the other is ready. A sync by hand does not wait.',
  ],
  DependencyError: [
    'What it depends on cannot be followed',
    'Correct its annotation bowline.dev/depends-on; automated sync waits until then.',
  ],
  ManifestWarning: ['There is something odd in its manifests', 'It is accepted. Correct it in the source to be sure.'],
}

/** The conditions of an application in words, errors first, those of one type together. */
export function saidOf(app: Application | undefined): Said[] {
  const found = new Map<string, Said>()
  for (const condition of app?.status?.conditions ?? []) {
    const type = condition.type ?? ''
    const one = found.get(type) ?? said(type, condition)
    if (condition.message) one.messages.push(condition.message)
    found.set(type, one)
  }
  return [...found.values()].sort((a, b) => Number(b.bad) - Number(a.bad))
}

function said(type: string, condition: Condition): Said {
  const [title, fix] = own(conditions, type) ?? [apart(type), '']
  // Only what says so by its name is an error: that is how conditions are told apart everywhere.
  const bad = type.endsWith('Error')
  return { type, title, fix, bad, since: condition.lastTransitionTime ?? undefined, messages: [] }
}

/** A name in one word as several: "SharedResourceWarning" is "Shared resource warning". */
export function apart(type: string): string {
  const words = type.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** What to do about what an application asks for. */
export function advice(row: Row): string {
  switch (row.attention) {
    case 'broken':
      if (row.operation === 'Failed' || row.operation === 'Error') {
        return 'Show the steps of the last sync to see what failed. Mend the cause and sync again, or roll back under History.'
      }
      if (row.health === 'Degraded') return 'Look at the degraded objects in the tree: their events and logs say more.'
      if (row.health === 'Missing') return 'Sync to make what is missing.'
      return 'See what is said below.'
    case 'waiting':
      if (row.held) return 'Release the hold to let automated sync go on, or wait for a new revision.'
      if (row.health === 'Suspended') return 'Resume what is suspended; its panel offers what can be done with it.'
      return 'Look at what is to be deleted under Plan, and approve it if that is meant.'
    case 'stale':
      return 'What is shown may be old. Refresh to have it looked at again.'
    case 'drifting':
      return row.autoSync
        ? 'Automated sync does not change this by itself: see the differences, and sync by hand.'
        : 'Sync to make the cluster equal to the source, or look at the differences first.'
    default:
      return ''
  }
}

/** How an application is synced by itself. */
export function automation(app: Application | undefined): { word: string; more: string } {
  const automated = app?.spec?.syncPolicy?.automated
  if (!automated || automated.enabled === false) return { word: 'Off', more: 'Synced by hand' }
  const more = [
    automated.prune ? 'prunes' : 'does not prune',
    automated.selfHeal ? 'heals drift' : 'does not heal drift',
  ]
  return { word: 'On', more: more.join(', ') }
}
