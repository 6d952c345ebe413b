// SPDX-License-Identifier: Apache-2.0

// biome-ignore-all lint/a11y/useFocusableInteractive: roles of a table and not of a grid; the links and buttons within take the focus
// biome-ignore-all lint/a11y/useSemanticElements: only the rows that are seen are drawn, each at its height; a real table would lay them out again

import { attentions, type Group } from '../api'
import { Button, Icon, lookOf, Status } from '../kit'
import { selectAll } from './bulk'
import { fold, groupOnly, type Question } from './question'
import type { Change } from './tools'
import { attentionWord, count, shortRepo, statusOf } from './words'

interface GroupHeadProps {
  group: Group
  q: Question
  change: Change
  index: number
  height: number
}

/** The head of a group: its value, how many there are and what they ask for. It folds the group. */
export function GroupHead({ group, q, change, index, height }: GroupHeadProps) {
  const head = (
    <button
      type="button"
      class="apps-group-fold"
      aria-expanded={!group.folded}
      onClick={() => change(fold(q, group.value))}
    >
      <Icon name={group.folded ? 'right' : 'down'} size={14} />
      <GroupName group={group} by={q.group} />
      <span class="soft tabular">{count(group.count)}</span>
    </button>
  )
  const tallies = q.group === 'attention' ? null : <Tallies group={group} />
  const alone = group.count > 0 ? groupOnly(q, group.value) : undefined
  const pick = alone && (
    <Button small looks="quiet" class="apps-group-pick" onClick={() => void selectAll(alone, true)}>
      Select <span class="unseen">group {group.value}</span>
    </Button>
  )
  const style = { height: `${height}px` }
  if (q.tiles) {
    return (
      <div class="apps-group apps-group-tiles" style={style}>
        <h2 class="apps-group-title">{head}</h2>
        {pick}
        <span class="grow" />
        {tallies}
      </div>
    )
  }
  return (
    <div class="apps-group" role="row" aria-rowindex={index} style={style}>
      <div role="rowheader" class="apps-group-title">
        {head}
      </div>
      <div role="cell" class="row grow">
        {pick}
        <span class="grow" />
        {tallies}
      </div>
    </div>
  )
}

function GroupName({ group, by }: { group: Group; by: string }) {
  const status = statusOf(by)
  if (group.value === '') return <span class="soft">{by.startsWith('label:') ? `without ${by.slice(6)}` : 'none'}</span>
  if (status) return <Status of={status} value={group.value} />
  const word = by === 'repos' ? shortRepo(group.value) : by === 'autoSync' ? `Auto-sync ${group.value}` : group.value
  return (
    <span class="clip" title={group.value}>
      {word}
    </span>
  )
}

/** How many of a group ask for what, without those that are fine. */
function Tallies({ group }: { group: Group }) {
  const some = attentions.filter((a) => a !== 'fine' && (group.attention?.[a] ?? 0) > 0)
  if (some.length === 0) return <Status of="attention" value="fine" />
  return (
    <span class="row">
      {some.map((a) => (
        <span key={a} class={`status tabular tone-${lookOf('attention', a).tone}`} title={attentionWord(a)}>
          <Icon name={lookOf('attention', a).icon} size={14} />
          {count(group.attention?.[a] ?? 0)}
          <span class="unseen"> {attentionWord(a)}</span>
        </span>
      ))}
    </span>
  )
}
