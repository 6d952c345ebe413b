// SPDX-License-Identifier: Apache-2.0

import { useEffect, useMemo, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { type ApiError, type Application, errorOf } from '../api'
import { toast, toastError } from '../kit'
import { applicationPlace } from '../route/place'
import { draftOf, keepDraft } from './leaving'
import { usePreview } from './preview'
import { create, save } from './save'
import { beginning, editable, manifestOf, meanwhileOf, pathOf, rebased } from './saving'
import { Manifest } from './text'

/** What is edited, whether it is saved, and what the server says of it. */
export function useEditor(app: Application | undefined, may: boolean) {
  const { route } = useLocation()
  const key = app ? `${app.metadata?.namespace}/${app.metadata?.name}` : ''
  const [base, setBase] = useState(app)
  const first = useMemo(() => (base ? manifestOf(base) : beginning().text), [base])
  const [manifest, setManifest] = useState(() => new Manifest(draftOf(key) ?? first))
  // While the text is no manifest the form shows the last one that was.
  const [sound, setSound] = useState(manifest)
  const [latest, setLatest] = useState<Application>()
  const [busy, setBusy] = useState(false)
  const [refused, setRefused] = useState<ApiError>()
  const [tick, setTick] = useState(0)
  const [asked, setAsked] = useState(false)
  const previewed = usePreview(manifest, tick, may)
  const unsaved = manifest.text !== first
  useEffect(() => keepDraft(key, unsaved ? manifest.text : undefined), [manifest.text, unsaved])
  const take = (next: Manifest) => {
    setManifest(next)
    if (!next.wrong) setSound(next)
  }
  const restart = (from: Application) => {
    setBase(from)
    setLatest(undefined)
    take(new Manifest(manifestOf(from)))
  }
  const meanwhile = base && latest ? meanwhileOf(editable(base), editable(latest), manifest.value) : undefined
  // Whoever just began is not told off for what they did not fill in yet.
  const all = previewed.answer?.problems ?? []
  const shown = base || asked ? all : all.filter((one) => !one.field || sound.word(pathOf(one.field)) !== '')
  const store = async () => {
    setBusy(true)
    setAsked(true)
    setRefused(undefined)
    try {
      if (base) await storeChange(base)
      else await storeNew()
    } catch (thrown) {
      setRefused(errorOf(thrown))
      setTick(tick + 1)
    }
    setBusy(false)
  }
  const storeNew = async () => {
    const made = await create(manifest.value as object)
    keepDraft(key, undefined)
    take(new Manifest(first))
    const at = { namespace: made.metadata?.namespace ?? '', name: made.metadata?.name ?? '' }
    toast(`${at.name} was created`)
    route(applicationPlace(at))
  }
  const storeChange = async (from: Application) => {
    const target = { namespace: from.metadata?.namespace ?? '', name: from.metadata?.name ?? '' }
    const saved = await save(target, from, manifest.value as object)
    if (saved.is === 'changed') {
      setLatest(saved.latest)
      return
    }
    restart(saved.app)
    const back = async () => {
      try {
        const undone = await save(target, saved.app, editable(from))
        if (undone.is === 'changed') throw new Error('somebody changed it since')
        restart(undone.app)
        toast(`${target.name} is as it was before`)
      } catch (thrown) {
        toastError(thrown, 'undo the change')
      }
    }
    toast(`${target.name} was saved`, 'good', { undo: () => void back() })
  }
  return {
    /** Under which name what is typed is kept. */
    draft: key,
    manifest,
    sound,
    previewed,
    problems: manifest.wrong ? [] : shown,
    /** A new application that would be one that is there already. */
    taken: !base && (previewed.answer?.exists ?? false),
    missing: manifest.wrong ? 0 : all.length - shown.length,
    unsaved,
    busy,
    refused,
    meanwhile,
    store,
    type: (text: string) => take(new Manifest(text)),
    drop: () => {
      keepDraft(key, undefined)
      take(new Manifest(first))
    },
    take: () => {
      if (!meanwhile || !latest) return
      setBase(latest)
      setLatest(undefined)
      take(rebased(manifest, meanwhile))
    },
    form: {
      manifest: sound,
      set: (path: (string | number)[], value: unknown) => take(manifest.with(path, value)),
      change: (change: (m: Manifest) => Manifest) => take(change(manifest)),
      problems: shown,
      types: previewed.answer?.sourceTypes ?? [],
    },
  }
}
