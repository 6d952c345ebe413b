// SPDX-License-Identifier: Apache-2.0

import './edit.css'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { type ApiError, type Application, errorOf, type Problem } from '../api'
import { controlNamespace, qualified } from '../doings/target'
import { Button, Cli, Failure, Icon, Tabs, toast, toastError } from '../kit'
import { applicationPlace } from '../route/place'
import { useQuery } from '../route/query'
import { ChangedMeanwhile } from './changed'
import { FormProvider, sentence } from './form'
import { draftOf, keepDraft, Leaving } from './leaving'
import { Objects, type Previewed, usePreview, Work } from './preview'
import { create, save } from './save'
import { beginning, editable, manifestOf, meanwhileOf, pathOf, rebased } from './saving'
import { Destination, General, Ignored, Info, Policy } from './sections'
import { Sources } from './sources'
import { Manifest } from './text'
import { YamlEditor } from './yaml'

/** The form and the manifest of an application side by side, in step; app is undefined for a new one. */
export function Editor({ app, may }: { app: Application | undefined; may: boolean }) {
  const e = useEditor(app)
  const what = app?.metadata?.name ?? 'the new application'
  return (
    <div class="edit">
      <Leaving unsaved={e.unsaved} what={what} onDrop={e.drop} />
      <div class="edit-bar">
        <Standing
          problems={e.problems}
          previewed={e.previewed}
          unsaved={e.unsaved}
          fresh={!app}
          broken={Boolean(e.manifest.wrong)}
        />
        {e.unsaved && app && (
          <Button icon="undo" onClick={e.drop}>
            Discard changes
          </Button>
        )}
        <Button
          looks="primary"
          icon="check"
          busy={e.busy}
          disabled={!may || Boolean(e.manifest.wrong) || !e.unsaved}
          title={may ? undefined : 'You have no right "update" on this application'}
          onClick={() => void e.store()}
        >
          {app ? 'Save' : 'Create'}
        </Button>
      </div>
      {!may && (
        <p class="plan-note">
          <Icon name="lock" /> You may look at it, but not change it: ask for the right "update".
        </p>
      )}
      {e.refused && <Failure error={e.refused} doing={app ? `save ${what}` : 'create it'} />}
      {e.meanwhile && <ChangedMeanwhile meanwhile={e.meanwhile} onTake={e.take} />}
      <Problems problems={e.problems} manifest={e.manifest} />
      <div class="edit-sides">
        <FormProvider value={e.form}>
          <form class="edit-form" aria-label="Application" onSubmit={(event) => event.preventDefault()}>
            <fieldset disabled={!may || Boolean(e.manifest.wrong)} class="edit-all">
              <General fresh={!app} />
              <Sources />
              <Destination />
              <Policy />
              <Ignored />
              <Info />
            </fieldset>
          </form>
        </FormProvider>
        <Side editor={e} may={may} app={app} />
      </div>
    </div>
  )
}

/** What is edited, whether it is saved, and what the server says of it. */
function useEditor(app: Application | undefined) {
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
  const previewed = usePreview(manifest, tick)
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
  const store = async () => {
    setBusy(true)
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
    manifest,
    sound,
    previewed,
    problems: manifest.wrong ? [] : (previewed.answer?.problems ?? []),
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
      problems: previewed.answer?.problems ?? [],
      types: previewed.answer?.sourceTypes ?? [],
    },
  }
}

function Standing({
  problems,
  previewed,
  unsaved,
  fresh,
  broken,
}: {
  problems: Problem[]
  previewed: Previewed
  unsaved: boolean
  fresh: boolean
  broken: boolean
}) {
  const text = broken
    ? 'The YAML cannot be read yet'
    : previewed.busy
      ? 'Checking …'
      : previewed.error
        ? `It could not be checked: ${previewed.error.message}`
        : problems.length > 0
          ? `${problems.length} ${problems.length === 1 ? 'thing is' : 'things are'} wrong`
          : unsaved || fresh
            ? 'Nothing is wrong with it'
            : 'Nothing was changed'
  const bad = broken || problems.length > 0 || Boolean(previewed.error)
  return (
    <p class={`grow row ${bad ? 'tone-bad edit-bad' : 'soft'}`} role="status">
      <Icon name={bad ? 'warning' : previewed.busy ? 'clock' : 'check'} />
      <span>{text}</span>
    </p>
  )
}

/** Problems that no field of the form is about, or that are about a field the form does not show. */
function Problems({ problems, manifest }: { problems: Problem[]; manifest: Manifest }) {
  if (problems.length === 0) return null
  return (
    <ul class="edit-problems">
      {problems.map((problem) => (
        <li key={`${problem.field} ${problem.message}`}>
          <Icon name="warning" size={14} />
          <span>
            {problem.field && (
              <>
                <code>{problem.field}</code> <span class="faint">line {manifest.line(pathOf(problem.field))}</span>:{' '}
              </>
            )}
            {sentence(problem)}
          </span>
        </li>
      ))}
    </ul>
  )
}

function Side({
  editor,
  may,
  app,
}: {
  editor: ReturnType<typeof useEditor>
  may: boolean
  app: Application | undefined
}) {
  const { query, set } = useQuery()
  const { manifest, previewed, problems } = editor
  const chosen = query.get('side') ?? 'yaml'
  const name = manifest.word(['metadata', 'name'])
  const namespace = manifest.word(['metadata', 'namespace']) || controlNamespace()
  const made = previewed.answer?.manifests?.length
  const marks = new Set(problems.flatMap((one) => (one.field ? [manifest.line(pathOf(one.field))] : [])))
  return (
    <div class="edit-side">
      <Tabs
        label="Manifest and preview"
        chosen={chosen}
        onChoose={(side) => set({ side: side === 'yaml' ? undefined : side })}
        tabs={[
          { id: 'yaml', label: 'YAML' },
          { id: 'objects', label: 'Objects', extra: made !== undefined && <span class="faint">{made}</span> },
          { id: 'order', label: 'Order of the sync' },
        ]}
      >
        {chosen === 'objects' ? (
          <Objects previewed={previewed} />
        ) : chosen === 'order' ? (
          <Work previewed={previewed} name={name} namespace={namespace} />
        ) : (
          <YamlEditor text={manifest.text} wrong={manifest.wrong} marks={marks} readOnly={!may} onInput={editor.type} />
        )}
      </Tabs>
      <Cli
        command={
          app
            ? ['app', 'edit', qualified({ namespace: app.metadata?.namespace ?? '', name: app.metadata?.name ?? '' })]
            : ['app', 'create', '-f', 'application.yaml']
        }
      />
    </div>
  )
}
