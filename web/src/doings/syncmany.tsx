// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef, useState } from 'preact/hooks'
import type { Plan } from '../api'
import { Button, Cli, Dialog, Icon, Status, TextField, toast } from '../kit'
import { bulkLosses, type Line, leftOut, look, planAll, syncAll, takesPart, tally } from './bulk'
import { cliOf, plainChoice, type SyncChoice } from './choice'
import { differingOf, flowOf, type Work } from './flow'
import { PlanCounts, PlanGraph } from './graph'
import { SyncOptions } from './options'
import { Losses } from './sync'
import { keyOf, qualified, type Target } from './target'

/** The dialog for a sync of many applications: a line for each with what it would do, and then with what became of it. */
export function SyncManyDialog({ targets, onClose }: { targets: Target[]; onClose: () => void }) {
  const [choice, setChoice] = useState<SyncChoice>(plainChoice)
  const many = useLines(targets, choice)
  const [begun, setBegun] = useState(false)
  const [typed, setTyped] = useState('')
  const set = (change: Partial<SyncChoice>) => setChoice((was) => ({ ...was, ...change }))
  const counts = tally(many.lines, choice)
  const chosen = many.lines.filter((line) => takesPart(line, choice))
  const lost = bulkLosses(many.lines, choice)
  const word = String(chosen.length)
  const start = () => {
    setBegun(true)
    toast(`${choice.dryRun ? 'Dry runs' : 'Syncs'} of ${word} applications are asked for`)
    void many.sync(chosen)
  }
  const shut = many.lines.some((line) => line.open === false && line.override)
  return (
    <Dialog
      title={`Sync ${targets.length} applications`}
      width="wide"
      onClose={onClose}
      actions={
        <>
          <div class="grow sync-cli">
            {chosen.length > 0 && (
              <Cli
                command={cliOf(
                  choice,
                  chosen.map((line) => qualified(line.target)),
                )}
              />
            )}
          </div>
          <Button onClick={onClose}>{begun ? 'Close' : 'Cancel'}</Button>
          {!begun && (
            <Button
              looks={lost.length > 0 ? 'danger' : 'primary'}
              icon="sync"
              disabled={chosen.length === 0 || (lost.length > 0 && typed !== word)}
              title={chosen.length === 0 ? 'None of them can be synced as it stands' : undefined}
              onClick={start}
            >
              {choice.dryRun ? `Dry run of ${word}` : `Sync ${word}`}
            </Button>
          )}
        </>
      }
    >
      <div class="sync">
        {begun ? (
          <Progress counts={counts} />
        ) : (
          <form class="sync-options stack" onSubmit={(event) => event.preventDefault()}>
            <SyncOptions choice={choice} set={set} />
            {shut && (
              <TextField
                label="Pass closed sync windows, because"
                hint="The reason goes into the record of each sync."
                value={choice.override}
                onInput={(override) => set({ override })}
              />
            )}
          </form>
        )}
        <section class="sync-plan stack" aria-label="Applications">
          {!begun && (
            <p class="soft" aria-live="polite">
              {counts.looked < targets.length
                ? `Looked at ${counts.looked} of ${targets.length} …`
                : `${counts.part} take part${counts.out > 0 ? `, ${counts.out} cannot` : ''}.`}
            </p>
          )}
          {!begun && lost.length > 0 && <Losses lost={lost} name={word} typed={typed} onType={setTyped} />}
          <ul class="many">
            {many.lines.map((line) => (
              <LineView
                key={keyOf(line.target)}
                line={line}
                choice={choice}
                begun={begun}
                onToggle={() => many.update(line.target, { unchecked: !line.unchecked })}
              />
            ))}
          </ul>
        </section>
      </div>
    </Dialog>
  )
}

/** The lines of the dialog: looked at once, planned anew when something is chosen that a plan depends on. */
function useLines(targets: Target[], choice: SyncChoice) {
  const [lines, setLines] = useState<Line[]>(() => targets.map((target) => ({ target })))
  const [looked, setLooked] = useState(false)
  const shown = useRef(new AbortController())
  const current = useRef(lines)
  current.current = lines
  const update = (target: Target, change: Partial<Line>) =>
    setLines((was) => was.map((line) => (line.target === target ? { ...line, ...change } : line)))
  useEffect(() => {
    void look(targets, shown.current.signal, update).then(() => setLooked(true))
    return () => shown.current.abort()
  }, [])
  const { prune, applyOnly, force, replace, serverSide, outOfSyncOnly } = choice
  useEffect(() => {
    if (!looked) return
    const abort = new AbortController()
    void planAll(current.current, choice, abort.signal, update)
    return () => abort.abort()
  }, [looked, prune, applyOnly, force, replace, serverSide, outOfSyncOnly])
  const sync = (chosen: Line[]) => syncAll(chosen, choice, shown.current.signal, update)
  return { lines, update, sync }
}

function Progress({ counts }: { counts: ReturnType<typeof tally> }) {
  return (
    <div class="stack" role="status">
      <h3>{counts.under > 0 ? 'Under way' : 'All have ended'}</h3>
      <dl class="facts">
        <dt>Under way</dt>
        <dd class="tabular">{counts.under}</dd>
        <dt>Succeeded</dt>
        <dd class="tabular">{counts.done}</dd>
        <dt>Failed</dt>
        <dd class="tabular">{counts.failed}</dd>
      </dl>
      <p class="soft">You can close this: the syncs go on, and the list shows them.</p>
    </div>
  )
}

function LineView({
  line,
  choice,
  begun,
  onToggle,
}: {
  line: Line
  choice: SyncChoice
  begun: boolean
  onToggle: () => void
}) {
  const [open, setOpen] = useState(false)
  const name = qualified(line.target)
  return (
    <li class="many-line">
      <div class={begun ? 'many-head many-head-begun' : 'many-head'}>
        {!begun && (
          <input
            type="checkbox"
            aria-label={`Sync ${name}`}
            checked={takesPart(line, choice)}
            disabled={leftOut(line, choice) !== '' || !line.plan}
            onChange={onToggle}
          />
        )}
        <span class="many-name clip" title={name}>
          {name}
        </span>
        <span class="many-what">{begun ? <Became line={line} /> : <Would line={line} choice={choice} />}</span>
        {line.plan && !begun && (
          <Button small looks="quiet" icon={open ? 'up' : 'down'} aria-expanded={open} onClick={() => setOpen(!open)}>
            Plan
          </Button>
        )}
      </div>
      {open && !begun && line.plan && <PlanGraph plan={line.plan as Plan} target={line.target} app={line.app} />}
    </li>
  )
}

function Would({ line, choice }: { line: Line; choice: SyncChoice }) {
  const out = leftOut(line, choice)
  if (out) {
    return (
      <span class="soft many-error">
        <Icon name="lock" size={14} /> left out: {out}
      </span>
    )
  }
  if (line.error) {
    return (
      <span class="tone-bad many-error">
        <Icon name="warning" size={14} /> cannot be planned: {line.error.message}
      </span>
    )
  }
  if (!line.plan) return <span class="soft">planning …</span>
  return <PlanCounts flow={flowOf(line.plan.work as Work, line.app && differingOf(line.app))} />
}

function Became({ line }: { line: Line }) {
  const outcome = line.outcome
  if (!outcome) return <span class="soft">left out</span>
  if (outcome.phase === 'asking') return <span class="soft">asking …</span>
  if (outcome.phase === 'refused') {
    return (
      <span class="tone-bad many-error">
        <Icon name="warning" size={14} /> refused: {outcome.message}
      </span>
    )
  }
  return (
    <span class="many-became">
      <Status of="operation" value={outcome.phase} />
      <span class="soft">{outcome.message}</span>
    </span>
  )
}
