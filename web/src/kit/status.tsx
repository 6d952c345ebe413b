// SPDX-License-Identifier: Apache-2.0

import { own } from '../safe/own'
import { Icon, type IconName } from './icon'

type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'wait' | 'dim'

interface Look {
  icon: IconName
  tone: Tone
  word?: string
}

const unknown: Look = { icon: 'question', tone: 'dim' }

const healths: Record<string, Look> = {
  Healthy: { icon: 'heart', tone: 'good' },
  Progressing: { icon: 'progress', tone: 'busy' },
  Degraded: { icon: 'broken', tone: 'bad' },
  Suspended: { icon: 'pause', tone: 'wait' },
  Missing: { icon: 'ghost', tone: 'warn' },
  Unknown: unknown,
}

const syncs: Record<string, Look> = {
  Synced: { icon: 'check', tone: 'good' },
  OutOfSync: { icon: 'drift', tone: 'warn', word: 'Out of sync' },
  Unknown: unknown,
}

const operations: Record<string, Look> = {
  Running: { icon: 'sync', tone: 'busy' },
  Terminating: { icon: 'sync', tone: 'warn' },
  Succeeded: { icon: 'check', tone: 'good' },
  Failed: { icon: 'cross', tone: 'bad' },
  Error: { icon: 'warning', tone: 'bad' },
}

const attentionLooks: Record<string, Look> = {
  broken: { icon: 'broken', tone: 'bad', word: 'Broken' },
  waiting: { icon: 'hand', tone: 'wait', word: 'Waiting for someone' },
  stale: { icon: 'question', tone: 'dim', word: 'Stale' },
  drifting: { icon: 'drift', tone: 'warn', word: 'Drifting' },
  working: { icon: 'progress', tone: 'busy', word: 'Working' },
  fine: { icon: 'check', tone: 'good', word: 'Fine' },
}

const kinds = { health: healths, sync: syncs, operation: operations, attention: attentionLooks }

export type StatusKind = keyof typeof kinds

/** How a status looks: its word for people, icon and tone. What is not known is never green. */
export function lookOf(kind: StatusKind, value: string | undefined): { word: string; icon: IconName; tone: Tone } {
  const look = own(kinds[kind], value) ?? unknown
  return { icon: look.icon, tone: look.tone, word: look.word ?? (value || 'Unknown') }
}

/** A status by icon and word; bare is without the word for those who look, where the column says what it is. */
export function Status({
  of,
  value,
  bare,
  title,
}: {
  of: StatusKind
  value: string | undefined
  bare?: boolean
  title?: string | undefined
}) {
  const look = lookOf(of, value)
  const turning = look.icon === 'progress' || (look.icon === 'sync' && look.tone === 'busy')
  return (
    <span class={`status tone-${look.tone}`} title={title ?? (bare ? look.word : undefined)}>
      <Icon name={look.icon} turning={turning} />
      <span class={bare ? 'unseen' : 'clip'}>{look.word}</span>
    </span>
  )
}

/** A short word on a ground of its tone. */
export function Chip({
  tone = 'dim',
  icon,
  children,
  title,
}: {
  tone?: Tone
  icon?: IconName
  children: preact.ComponentChildren
  title?: string
}) {
  return (
    <span class={`chip tone-${tone}`} title={title}>
      {icon && <Icon name={icon} size={12} />}
      {children}
    </span>
  )
}
