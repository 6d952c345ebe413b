// SPDX-License-Identifier: Apache-2.0

import '../output.css'
import '../ansi.css'
import { useEffect, useMemo, useReducer, useState } from 'preact/hooks'
import { address } from '../../api'
import { useApplication } from '../../application/store'
import { Button, Cli, Copy, Empty, Failure, IconButton } from '../../kit'
import { useQuery } from '../../route/query'
import { settings } from '../../session/session'
import { CodeSearch } from '../code'
import { may, type Shown } from '../object'
import { appWord, podsOf } from '../target'
import { mostLines, textOf } from './buffer'
import { containersOf } from './containers'
import { Choices, Filters } from './controls'
import { Finder } from './finder'
import { LogList } from './list'
import { changeOf, type LogOptions, logCommand, logQuery, optionsOf } from './options'
import { type Log, useLog } from './source'

/** The logs of a pod, or of the pods that came of an object. */
export function Logs({ shown }: { shown: Shown }) {
  const live = useApplication()
  const view = shown.view.value
  const pods = live.order.value && podsOf(shown.id, live.all())
  if (view && !may(view, 'logs')) {
    return pods.length === 0 ? (
      <Empty icon="log" title="There are no pods">
        Logs come from pods, and none came of this object yet.
      </Empty>
    ) : (
      <Empty icon="lock" title="You may not read these logs">
        It takes the right <code>logs, get</code> on the application.
      </Empty>
    )
  }
  return <Reading shown={shown} pods={pods.map((pod) => pod.name)} />
}

function Reading({ shown, pods }: { shown: Shown; pods: string[] }) {
  const { app, target } = shown
  const { query, set } = useQuery()
  const options = useMemo(() => optionsOf(query), [query])
  const change = (some: Partial<LogOptions>) => set(changeOf(some))
  const [again, readAgain] = useReducer((n: number) => n + 1, 0)
  const log = useLog(app, target, options, again)
  const containers = useMemo(() => containersOf(shown.view.value?.live), [shown.view.value])
  const finder = useMemo(() => new Finder(options.find, options.matchCase), [log, options.find, options.matchCase])
  finder.look(log.turn.value >= 0 ? log.buffer.lines : [])
  const [hit, setHit] = useState<number | undefined>(undefined)
  useEffect(() => setHit(undefined), [finder])
  const step = (by: number) => setHit(finder.step(hit, by))
  const shownPods = options.pod ? [options.pod] : pods
  return (
    <div class="logs">
      <div class="code-bar">
        <Choices options={options} change={change} pods={pods} containers={containers} single={target.kind === 'Pod'} />
      </div>
      <div class="code-bar">
        <Filters options={options} change={change} />
        <CodeSearch
          label="the log"
          value={options.find}
          onInput={(find) => change({ find })}
          count={finder.hits.length}
          at={finder.placeOf(hit)}
          go={step}
        />
        <Tools shown={shown} log={log} options={options} several={shownPods.length > 1} />
      </div>
      <LogList log={log} options={options} pods={shownPods} hit={hit} onStep={step}>
        <State log={log} options={options} again={() => readAgain(0)} />
      </LogList>
      <div class="log-foot">
        <p class="soft tabular" role="status">
          {log.buffer.lines.length.toLocaleString('en')} lines
          {log.buffer.dropped > 0 &&
            `; ${log.buffer.dropped.toLocaleString('en')} older ones were dropped, for the page keeps ${mostLines.toLocaleString('en')}: download has them all`}
        </p>
        <details>
          <summary>On the command line</summary>
          <Cli command={logCommand(appWord(app, settings.value?.controllerNamespace), target, options)} />
        </details>
      </div>
    </div>
  )
}

function Tools({ shown, log, options, several }: { shown: Shown; log: Log; options: LogOptions; several: boolean }) {
  const { app, target } = shown
  const [text, setText] = useState('')
  const { tailLines: _, ...all } = logQuery(app, target, { ...options, follow: false })
  const href = address('/api/v1/applications/{name}/logs', {
    path: { name: app.name },
    query: { ...all, download: true },
  })
  const take = () => setText(textOf(log.buffer.lines, options.timestamps, several))
  return (
    <div class="row">
      {/* What is copied is written down when somebody reaches for it, and not with every line that comes. */}
      <span onPointerEnter={take} onFocusCapture={take}>
        <Copy text={text} what="log" />
      </span>
      <a class="button button-quiet button-small" href={href} download={`${target.name}.log`}>
        Download
      </a>
      <IconButton small label="Clear what is shown" icon="trash" onClick={() => log.clear()} />
    </div>
  )
}

/** How reading goes, in the place where the next line would be. */
function State({ log, options, again }: { log: Log; options: LogOptions; again: () => void }) {
  const standing = log.standing.value
  const empty = log.buffer.lines.length === 0
  if (standing.is === 'refused') return <Failure error={standing.error} doing="read the log" retry={again} />
  if (standing.is === 'lost') {
    return (
      <p class="log-state tone-warn" role="status">
        The log broke off: {standing.error.message}. Trying again by itself.
      </p>
    )
  }
  if (standing.is === 'ended') {
    return (
      <p class="log-state row" role="status">
        <span>
          {empty
            ? options.filter || options.since > 0
              ? 'No line matches what you chose.'
              : 'The log is empty.'
            : options.follow
              ? 'The log ended: nothing writes to it any more.'
              : 'That is all up to now.'}
        </span>
        <Button small icon="refresh" onClick={again}>
          Read again
        </Button>
      </p>
    )
  }
  if (!empty) return null
  return (
    <p class="log-state soft" role="status">
      {options.filter ? 'No line matches yet. Waiting for more.' : 'Waiting for the first line.'}
    </p>
  )
}
