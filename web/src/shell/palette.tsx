// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'
import { Fragment } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { call } from '../api/call'
import { Icon, type IconName } from '../kit/icon'
import { applicationPlace, place } from '../route/place'
import { type Command, commands, ranked } from './commands'
import { listen } from './keys'
import { theme } from './theme'

const open = signal(false)
const help = signal(false)

export function openPalette() {
  open.value = true
}

/** Everything that can be found or done, by typing a part of its name. Ctrl K or ⌘ K opens it. */
export function Palette() {
  const { route } = useLocation()
  const general = useMemo(() => generalCommands(route), [route])
  useEffect(() => {
    const summon = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return
      event.preventDefault()
      open.value = !open.value
    }
    document.addEventListener('keydown', summon)
    const deaf = listen(() => [...general, ...commands.value])
    return () => {
      document.removeEventListener('keydown', summon)
      deaf()
    }
  }, [general])
  if (help.value) return <Keys all={[...commands.value, ...general]} />
  return open.value ? <Finder all={[...commands.value, ...general]} route={route} /> : null
}

function generalCommands(route: (to: string) => void): Command[] {
  const go = (label: string, to: string, icon: IconName, keys?: string): Command => ({
    id: to,
    label,
    group: 'Go to',
    icon,
    ...(keys && { keys }),
    run: () => route(place(to)),
  })
  return [
    go('Applications', '/applications', 'list', 'g a'),
    go('New application', '/new', 'plus', 'g n'),
    go('Projects', '/settings/projects', 'folder', 'g p'),
    go('Repositories', '/settings/repositories', 'branch', 'g r'),
    go('Clusters', '/settings/clusters', 'cluster', 'g c'),
    go('Accounts', '/settings/accounts', 'person'),
    go('Certificates', '/settings/certificates', 'lock'),
    go('Who may do what', '/settings/access', 'key'),
    go('Health of Bowline', '/settings/health', 'heart', 'g h'),
    go('My account', '/settings/account', 'person', 'g m'),
    ...(['light', 'dark', 'system'] as const).map((one) => ({
      id: `theme-${one}`,
      label: one === 'system' ? 'Light or dark like the system' : `Make it ${one}`,
      group: 'Page',
      icon: ({ light: 'sun', dark: 'moon', system: 'half' } as const)[one],
      run: () => {
        theme.value = one
      },
    })),
    { id: 'keys', label: 'Keys', group: 'Page', icon: 'info', keys: '?', run: () => (help.value = true) },
  ]
}

interface Found extends Omit<Command, 'run'> {
  run: () => void
}

/** Applications whose name, source or destination has what was typed. */
function useApplications(typed: string, route: (to: string) => void): Found[] {
  const [found, setFound] = useState<Found[]>([])
  useEffect(() => {
    if (typed.trim() === '') {
      setFound([])
      return
    }
    const abort = new AbortController()
    const soon = setTimeout(async () => {
      try {
        const fields = 'items.metadata.name,items.metadata.namespace,items.spec.project'
        const page = await call(
          'get',
          '/api/bowline/v1/applications',
          { query: { search: typed, limit: 8, fields } },
          abort.signal,
        )
        setFound(
          (page.items ?? []).map((app) => {
            const name = app.metadata?.name ?? ''
            const namespace = app.metadata?.namespace ?? ''
            return {
              id: `app ${namespace}/${name}`,
              label: name,
              group: app.spec?.project ?? 'default',
              icon: 'pods' as const,
              run: () => route(applicationPlace({ namespace, name })),
            }
          }),
        )
      } catch {
        // What can be done without the server is still there.
      }
    }, 80)
    return () => {
      clearTimeout(soon)
      abort.abort()
    }
  }, [typed, route])
  return found
}

function Finder({ all, route }: { all: Command[]; route: (to: string) => void }) {
  const [typed, setTyped] = useState('')
  const [at, setAt] = useState(0)
  const dialog = useRef<HTMLDialogElement>(null)
  const applications = useApplications(typed, route)
  const found: Found[] = [...ranked(all, typed).slice(0, typed ? 12 : 40), ...applications]
  const chosen = Math.min(at, Math.max(0, found.length - 1))
  // Before the next key: what is typed at once belongs into the field and is no command.
  useLayoutEffect(() => dialog.current?.showModal(), [])
  useEffect(() => document.getElementById(`found-${chosen}`)?.scrollIntoView({ block: 'nearest' }), [chosen])
  const close = () => {
    open.value = false
  }
  const run = (one: Found | undefined) => {
    if (!one) return
    close()
    one.run()
  }
  const press = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 }
    const to = steps[event.key]
    if (event.key === 'Enter') run(found[chosen])
    else if (to !== undefined) setAt((to + found.length) % Math.max(1, found.length))
    else return
    event.preventDefault()
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      ref={dialog}
      class="dialog palette"
      aria-label="Find or do"
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="palette-head">
        <Icon name="search" />
        <input
          class="palette-input"
          role="combobox"
          aria-label="Find applications, views and commands"
          aria-expanded="true"
          aria-controls="found"
          aria-activedescendant={found.length > 0 ? `found-${chosen}` : undefined}
          placeholder="Applications, views, commands"
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onInput={(event) => {
            setTyped(event.currentTarget.value)
            setAt(0)
          }}
          onKeyDown={press}
        />
        <kbd>Esc</kbd>
      </div>
      <div class="palette-list" id="found" role="listbox" aria-label="Found">
        {found.map((one, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are taken where one types
          <div
            key={one.id}
            id={`found-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === chosen}
            class="palette-item"
            onClick={() => run(one)}
            onPointerMove={() => setAt(i)}
          >
            <Icon name={one.icon ?? 'right'} />
            <span class="grow clip">{one.label}</span>
            <span class="faint clip">{one.group}</span>
            {one.keys && <KeyWords keys={one.keys} />}
          </div>
        ))}
        {found.length === 0 && <p class="palette-none soft">Nothing is called that.</p>}
      </div>
    </dialog>
  )
}

function KeyWords({ keys }: { keys: string }) {
  return (
    <span class="row" aria-hidden="true">
      {keys.split(' ').map((key) => (
        <kbd key={key}>{key}</kbd>
      ))}
    </span>
  )
}

/** The keys that do something here. */
function Keys({ all }: { all: Command[] }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  const close = () => {
    help.value = false
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby="keys-title"
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="dialog-body stack">
        <h2 id="keys-title">Keys</h2>
        <dl class="facts">
          <dt>
            <kbd>Ctrl K</kbd>
          </dt>
          <dd>Find or do anything</dd>
          {all
            .filter((c) => c.keys)
            .map((c) => (
              <Fragment key={c.id}>
                <dt>
                  <KeyWords keys={c.keys ?? ''} />
                </dt>
                <dd>{c.group === 'Go to' ? `Go to ${c.label.charAt(0).toLowerCase()}${c.label.slice(1)}` : c.label}</dd>
              </Fragment>
            ))}
        </dl>
      </div>
    </dialog>
  )
}
