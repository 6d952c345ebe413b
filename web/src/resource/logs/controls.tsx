// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks'
import { Button } from '../../kit'
import type { Container } from './containers'
import { type LogOptions, sinceChoices, tailChoices } from './options'

interface ControlProps {
  options: LogOptions
  change: (some: Partial<LogOptions>) => void
}

interface Choice {
  value: string
  label: string
}

/** A small field to choose from; its name is for those who listen, for what is chosen says what it is. */
export function Pick({
  label,
  value,
  choices,
  onPick,
}: {
  label: string
  value: string
  choices: readonly Choice[]
  onPick: (value: string) => void
}) {
  const known = choices.some((choice) => choice.value === value)
  return (
    <select
      class="input pick"
      aria-label={label}
      title={label}
      value={value}
      onChange={(e) => onPick(e.currentTarget.value)}
    >
      {!known && <option value={value}>{value}</option>}
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.label}
        </option>
      ))}
    </select>
  )
}

/** A button that is on or off. */
function Toggle({
  label,
  on,
  title,
  onToggle,
}: {
  label: string
  on: boolean
  title?: string
  onToggle: (on: boolean) => void
}) {
  return (
    <Button small aria-pressed={on} title={title ?? label} onClick={() => onToggle(!on)}>
      {label}
    </Button>
  )
}

/** Which log is read, and how it is shown. */
export function Choices({
  options,
  change,
  pods,
  containers,
  single,
}: ControlProps & { pods: readonly string[]; containers: readonly Container[]; single: boolean }) {
  const all = { value: '', label: containers.length > 1 ? 'all containers' : 'its container' }
  return (
    <>
      {!single && (
        <Pick
          label="Pod"
          value={options.pod}
          choices={[
            { value: '', label: pods.length === 1 ? '1 pod' : `all ${pods.length} pods` },
            ...pods.map((pod) => ({ value: pod, label: pod })),
          ]}
          onPick={(pod) => change({ pod })}
        />
      )}
      <Pick
        label="Container"
        value={options.container}
        choices={[all, ...containers.map((c) => ({ value: c.name, label: c.init ? `${c.name} (init)` : c.name }))]}
        onPick={(container) => change({ container })}
      />
      <Pick
        label="Since"
        value={String(options.since)}
        choices={sinceChoices}
        onPick={(since) => change({ since: Number(since) })}
      />
      <Pick
        label="How much"
        value={String(options.tail)}
        choices={tailChoices}
        onPick={(tail) => change({ tail: Number(tail) })}
      />
      <span class="grow" />
      <div class="log-toggles">
        <Toggle
          label="Follow"
          on={options.follow}
          title={options.previous ? 'What was before a restart does not go on' : 'Show lines as they are written'}
          onToggle={(follow) => change({ follow, ...(follow && { previous: false }) })}
        />
        <Toggle
          label="Previous"
          on={options.previous}
          title="What the containers wrote before they were started again"
          onToggle={(previous) => change({ previous })}
        />
        <Toggle label="Wrap" on={options.wrap} title="Break long lines" onToggle={(wrap) => change({ wrap })} />
        <Toggle
          label="Times"
          on={options.timestamps}
          title="Show when each line was written"
          onToggle={(timestamps) => change({ timestamps })}
        />
      </div>
    </>
  )
}

/** How long after the last key a filter is sent. */
const pause = 400

/** Which lines the server sends. */
export function Filters({ options, change }: ControlProps) {
  const [text, setText] = useState(options.filter)
  useEffect(() => {
    if (text === options.filter) return
    const timer = setTimeout(() => change({ filter: text }), pause)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <div class="log-filter">
      <input
        class="input"
        type="search"
        placeholder={options.invert ? 'Only lines without' : 'Only lines with'}
        aria-label={options.invert ? 'Only lines without' : 'Only lines with'}
        value={text}
        spellcheck={false}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <Toggle
        label="Not"
        on={options.invert}
        title="Leave out the lines that hold it"
        onToggle={(invert) => change({ invert })}
      />
      <Toggle
        label="Aa"
        on={options.matchCase}
        title="Tell capital from small letters"
        onToggle={(matchCase) => change({ matchCase })}
      />
    </div>
  )
}
