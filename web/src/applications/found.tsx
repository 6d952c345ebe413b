// SPDX-License-Identifier: Apache-2.0

import { Icon } from '../kit'
import { choices, cleared, type Question } from './question'
import type { Summary } from './store'
import type { Change } from './tools'
import { count, valueWord } from './words'

/** How many were found, and what was chosen, each to be taken back by a press. */
export function Found({
  q,
  change,
  summary,
  refused,
}: {
  q: Question
  change: Change
  summary: Summary | undefined
  refused: boolean
}) {
  const all = choices(q)
  return (
    <div class="apps-found">
      <p role="status" class="soft tabular">
        {refused ? 'Not known how many' : summary ? found(summary, all.length > 0) : 'Loading applications'}
      </p>
      {all.map((c) => (
        <button
          key={c.id}
          type="button"
          class="choice"
          title={`Remove ${c.value}`}
          onClick={() => change(c.back, true)}
        >
          <span class="unseen">Remove </span>
          {c.word && <span class="soft">{c.word} </span>}
          <span class="clip">{valueWord(c.facet, c.value)}</span>
          <Icon name="cross" size={12} />
        </button>
      ))}
      {all.length > 1 && (
        <button type="button" class="choice choice-clear" onClick={() => change(cleared(), true)}>
          Clear all
        </button>
      )}
    </div>
  )
}

function found(summary: Summary, chosen: boolean): string {
  const things = (n: number) => `${count(n)} ${n === 1 ? 'application' : 'applications'}`
  return chosen ? `${count(summary.found)} of ${things(summary.all)}` : things(summary.found)
}
