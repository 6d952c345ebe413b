// SPDX-License-Identifier: Apache-2.0

import './resource.css'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { chunk } from '../application/chunk'
import { useApplication } from '../application/store'
import { Empty, IconButton, Staleness, Status, type Tab, Tabs } from '../kit'
import { useQuery } from '../route/query'
import { Acts } from './acts'
import { Diff } from './diff'
import { Events } from './events'
import { Desired, LiveManifest } from './manifest'
import { may, type Shown, useObject } from './object'
import { Summary } from './summary'
import { type AppName, targetOf } from './target'
import { useWidth, Widener } from './width'

const Edit = chunk<{ shown: Shown }>(() => import('./edit').then((m) => m.Edit))
const Logs = chunk<{ shown: Shown }>(() => import('./logs/logs').then((m) => m.Logs))
const Terminal = chunk<{ shown: Shown }>(() => import('./terminal/terminal').then((m) => m.TerminalTab))

const views = {
  summary: { label: 'Summary', view: Summary },
  desired: { label: 'Desired', view: Desired },
  live: { label: 'Live', view: LiveManifest },
  diff: { label: 'Diff', view: Diff },
  events: { label: 'Events', view: Events },
  logs: { label: 'Logs', view: Logs },
  terminal: { label: 'Terminal', view: Terminal },
  edit: { label: 'Edit', view: Edit },
}

type PanelTab = keyof typeof views

/** Tabs that are of use only to those who may do it. */
const needs: Partial<Record<PanelTab, string>> = { logs: 'logs', terminal: 'exec', edit: 'update' }

interface PanelProps {
  app: AppName
  nodeId: string
  /** Which tab is shown; the summary by default. */
  panel?: string | null | undefined
  onClose: () => void
}

/** One object of the application, at the side of the page; over all of it on small screens, or when asked for. */
export function ResourcePanel(props: PanelProps) {
  return <Panel key={props.nodeId} {...props} />
}

function Panel({ app, nodeId, panel, onClose }: PanelProps) {
  const live = useApplication()
  const node = live.node(nodeId)
  const target = targetOf(nodeId, node)
  const shown = useObject(app, nodeId, target)
  const { query, set } = useQuery()
  const width = useWidth()
  const full = query.get('full') === 'yes'
  const place = useRef<HTMLElement>(null)
  const chosen: PanelTab = panel && panel in views ? (panel as PanelTab) : 'summary'
  useFocus(place, onClose)
  useEffect(() => {
    place.current
      ?.querySelector('[role="tab"][aria-selected="true"]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [chosen])
  useTop(place)
  const tabs = tabsOf(shown, chosen, node?.differs)
  const View = views[chosen].view
  const gone = live.met.value && !node && !live.unknown.value
  return (
    <aside
      ref={place}
      class={full ? 'resource resource-full' : 'resource'}
      style={full ? {} : { width: `${width.value}px` }}
      aria-label={`${target.kind} ${target.name}`}
      tabIndex={-1}
    >
      {!full && <Widener width={width} />}
      <header class="resource-head">
        <div class="grow stack-tight">
          <p class="resource-kind soft">
            {target.kind}
            {target.namespace && ` in ${target.namespace}`}
          </p>
          <h2 class="clip" title={target.name}>
            {target.name}
          </h2>
        </div>
        {node?.health && <Status of="health" value={node.health.status} />}
        {node?.managed && <Status of="sync" value={node.sync} />}
      </header>
      <div class="resource-acts">
        <Acts shown={shown} node={node} />
        <span class="grow" />
        <IconButton
          label={full ? 'Beside the application' : 'Full screen'}
          icon="full"
          aria-pressed={full}
          class="resource-widen"
          onClick={() => set({ full: full ? undefined : 'yes' })}
        />
        <IconButton label="Close the panel" icon="cross" class="resource-close" onClick={onClose} />
      </div>
      <Staleness standing={live.standing.value} />
      <div class="resource-body">
        <Tabs
          label={`Views of ${target.name}`}
          tabs={tabs}
          chosen={chosen}
          onChoose={(tab) => set({ panel: tab }, true)}
        >
          {gone && !shown.view.value ? (
            <Empty icon="ghost" title={`${target.kind} ${target.name} is not in this application`}>
              It was deleted, or never was part of it.
            </Empty>
          ) : (
            <View shown={shown} />
          )}
        </Tabs>
      </div>
    </aside>
  )
}

/** Tabs of what there is to see and the caller may do; the one that a link leads to says itself why it shows nothing. */
function tabsOf(shown: Shown, chosen: PanelTab, differs: number | undefined): Tab[] {
  const view = shown.view.value
  return (Object.keys(views) as PanelTab[])
    .filter((id) => {
      const verb = needs[id]
      if (id === chosen) return true
      if (id === 'desired' || id === 'diff') return view === undefined || view.managed || view.reason !== undefined
      return !verb || may(view, verb)
    })
    .map((id) => ({
      id,
      label: views[id].label,
      extra: id === 'diff' && differs ? <span class="tab-count tabular">{differs}</span> : undefined,
    }))
}

/** Takes the focus when the panel opens and gives it back when it closes; Escape closes. */
function useFocus(place: preact.RefObject<HTMLElement | null>, onClose: () => void) {
  const close = useRef(onClose)
  close.current = onClose
  useEffect(() => {
    const before = document.activeElement
    place.current?.focus({ preventScroll: true })
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open]')) return
      if (place.current?.contains(document.activeElement) || document.activeElement === document.body) close.current()
    }
    document.addEventListener('keydown', pressed)
    return () => {
      document.removeEventListener('keydown', pressed)
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
}

/** Keeps the panel below the top bar, which moves when there is an announcement above it. */
function useTop(place: preact.RefObject<HTMLElement | null>) {
  useLayoutEffect(() => {
    const bar = document.querySelector('.topbar')
    const look = () => {
      const bottom = bar?.getBoundingClientRect().bottom
      if (bottom !== undefined) place.current?.style.setProperty('--resource-top', `${Math.max(0, bottom)}px`)
    }
    look()
    const observer = new ResizeObserver(look)
    observer.observe(document.body)
    window.addEventListener('scroll', look, { passive: true })
    return () => {
      observer.disconnect()
      window.removeEventListener('scroll', look)
    }
  }, [])
}
