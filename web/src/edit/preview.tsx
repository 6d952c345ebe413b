// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks'
import { stringify } from 'yaml'
import { type ApiError, type Application, call, errorOf, type PreviewAnswer } from '../api'
import { PlanGraph } from '../doings/graph'
import { Copy, Empty, Failure, Icon, Skeleton } from '../kit'
import type { Manifest } from './text'

export interface Previewed {
  answer: PreviewAnswer | undefined
  error: ApiError | undefined
  /** The text that the answer is about is not the one that is shown any more. */
  busy: boolean
}

/** How long nobody typed before the server is asked. */
const after = 600

/** What would become of a manifest: asked for whenever it rests for a moment, by those who may save it. */
export function usePreview(manifest: Manifest, tick: number, may: boolean): Previewed {
  const [previewed, setPreviewed] = useState<Previewed>({ answer: undefined, error: undefined, busy: may })
  useEffect(() => {
    if (manifest.wrong || !may) {
      setPreviewed((was) => ({ ...was, busy: false }))
      return
    }
    const abort = new AbortController()
    setPreviewed((was) => ({ ...was, busy: true }))
    const timer = setTimeout(() => {
      const application = manifest.value as Application
      call('post', '/api/bowline/v1/preview', { body: { application } }, abort.signal).then(
        (answer) => setPreviewed({ answer, error: undefined, busy: false }),
        (thrown) => abort.signal.aborted || setPreviewed({ answer: undefined, error: errorOf(thrown), busy: false }),
      )
    }, after)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [manifest.text, tick])
  return previewed
}

interface Made {
  kind: string
  name: string
  namespace: string
  text: string
}

/** The objects of an answer by kind, those of a kind by name. */
export function madeOf(manifests: string[]): [string, Made[]][] {
  const kinds = new Map<string, Made[]>()
  for (const manifest of manifests) {
    const made = oneOf(manifest)
    kinds.set(made.kind, [...(kinds.get(made.kind) ?? []), made])
  }
  for (const list of kinds.values()) list.sort((a, b) => a.name.localeCompare(b.name))
  return [...kinds].sort(([a], [b]) => a.localeCompare(b))
}

function oneOf(manifest: string): Made {
  try {
    const object = JSON.parse(manifest) as { kind?: string; metadata?: { name?: string; namespace?: string } }
    const { name = '', namespace = '' } = object.metadata ?? {}
    return { kind: object.kind ?? '', name, namespace, text: stringify(object, { lineWidth: 0, compat: 'yaml-1.1' }) }
  } catch {
    return { kind: '', name: 'what cannot be read', namespace: '', text: manifest }
  }
}

/** What the application asks for, by kind. */
export function Objects({ previewed }: { previewed: Previewed }) {
  const { answer, error, busy } = previewed
  if (error) return <Failure error={error} doing="preview it" />
  if (!answer) return busy ? <Skeleton lines={6} /> : <Waits />
  if ((answer.problems ?? []).length > 0) return <Waits />
  const kinds = madeOf(answer.manifests ?? [])
  if (kinds.length === 0) {
    return (
      <Empty icon="folder" title="The source asks for nothing">
        It has no manifests at this path and revision.
      </Empty>
    )
  }
  return (
    <div class={busy ? 'stack plan-old' : 'stack'}>
      {kinds.map(([kind, all]) => (
        <section key={kind} class="made">
          <h3>
            {kind || 'Unknown'} <span class="faint">{all.length}</span>
          </h3>
          {all.map((one) => (
            <ObjectView key={`${one.namespace}/${one.name}`} one={one} />
          ))}
        </section>
      ))}
    </div>
  )
}

function ObjectView({ one }: { one: Made }) {
  const [open, setOpen] = useState(false)
  return (
    <details class="made-one" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {one.name} {one.namespace && <span class="faint">{one.namespace}</span>}
      </summary>
      {open && (
        <div class="made-text">
          <Copy text={one.text} what="manifest" />
          <pre>{one.text}</pre>
        </div>
      )}
    </details>
  )
}

/** The order in which it would be done. */
export function Work({ previewed, name, namespace }: { previewed: Previewed; name: string; namespace: string }) {
  const { answer, error, busy } = previewed
  if (error) return <Failure error={error} doing="preview it" />
  if (!answer) return busy ? <Skeleton lines={6} /> : <Waits />
  if (!answer.plan) return <Waits />
  return (
    <div class={busy ? 'plan-old' : undefined}>
      <PlanGraph plan={answer.plan} target={{ namespace, name }} />
    </div>
  )
}

function Waits() {
  return (
    <p class="plan-nothing">
      <Icon name="clock" /> It is shown once nothing is wrong with the manifest any more.
    </p>
  )
}
