// SPDX-License-Identifier: Apache-2.0

import { attentions } from '../api'
import { Icon, lookOf } from '../kit'
import { only, type Question } from './question'
import type { Summary } from './store'
import type { Change } from './tools'
import { attentionWord, count } from './words'

/** How many applications ask for what, of all that the reader may see. Each number chooses those that it counts. */
export function Strip({ q, change, summary }: { q: Question; change: Change; summary: Summary | undefined }) {
  return (
    <fieldset class="strip" aria-label="What applications ask for">
      {attentions.map((a) => {
        const look = lookOf('attention', a)
        const n = summary?.attention[a] ?? 0
        const on = q.chosen.attention.includes(a)
        return (
          <button
            key={summary ? a : `${a} unknown`}
            type="button"
            class={['strip-part', `tone-${look.tone}`, n === 0 && 'strip-none'].filter(Boolean).join(' ')}
            aria-pressed={on}
            title={on ? 'Shown. Press to show the others too' : hints[a]}
            onClick={(event) => change(event.ctrlKey || event.metaKey ? more(q, a) : only(q, 'attention', a), true)}
          >
            <Icon name={look.icon} />
            <span class="strip-count tabular">{summary ? count(n) : '–'}</span>
            <span class="strip-word clip">{attentionWord(a)}</span>
          </button>
        )
      })}
      <Proportion summary={summary} />
    </fieldset>
  )
}

/** Adds one to what is chosen, or takes it away. */
function more(q: Question, value: string) {
  const had = q.chosen.attention
  return { attention: had.includes(value) ? had.filter((v) => v !== value) : [...had, value] }
}

const hints: Record<(typeof attentions)[number], string> = {
  broken: 'An operation failed, something is degraded or missing, or the source cannot be read',
  waiting: 'Somebody has to do something before it goes on: approve, release, resume',
  stale: 'What is known of it may not be true any more',
  drifting: 'The cluster is not what the source says, and nothing is on its way to change that',
  working: 'An operation runs, or what it changed is on its way',
  fine: 'Nothing to do',
}

/** The same as a bar, for those who look from afar. */
function Proportion({ summary }: { summary: Summary | undefined }) {
  return (
    <div class="strip-bar" aria-hidden="true">
      {summary &&
        attentions.map((a) => (
          <span
            key={a}
            class={`tone-${lookOf('attention', a).tone}`}
            style={{ flexGrow: String(summary.attention[a] ?? 0) }}
          />
        ))}
    </div>
  )
}
