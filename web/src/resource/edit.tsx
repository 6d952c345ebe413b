// SPDX-License-Identifier: Apache-2.0

import { useEffect, useMemo, useState } from 'preact/hooks'
import { type ApiError, call, errorOf } from '../api'
import { useApplication } from '../application/store'
import { Button, Cli, Empty, Failure, Skeleton, toast } from '../kit'
import { settings } from '../session/session'
import { Compare, type How } from './compare'
import { Editor } from './editor'
import { Masked, NoLive, Waiting } from './manifest'
import { hidesValues, may, type Shown } from './object'
import { editable, type Fields, hiddenChanges, mergePatch, wrongWith } from './patch'
import { appWord, objectFlags, objectQuery } from './target'
import { useYaml, yamlOf } from './yaml'

type Yaml = NonNullable<ReturnType<typeof useYaml>['yaml']>

/** What the object would be: the answer of the cluster to a patch that was only tried. */
interface Trial {
  patch: Fields
  before: Fields
  after: Fields
}

/** Changing the object in the cluster: written, tried, seen, applied. */
export function Edit({ shown }: { shown: Shown }) {
  const { yaml, failed } = useYaml()
  const view = shown.view.value
  if (failed !== undefined) return <Failure error={errorOf(failed)} doing="load the part of the page that edits" />
  if (!view) return <Waiting shown={shown} doing="read the object" />
  if (view.live === undefined) return <NoLive shown={shown} />
  if (!may(view, 'update')) {
    return (
      <Empty icon="lock" title="You may not change this object">
        It takes the right{' '}
        <code>
          applications, update/{shown.target.group}/{shown.target.kind}/…
        </code>
        , or the object belongs to another application.
      </Empty>
    )
  }
  if (!yaml) return <Skeleton lines={12} />
  return <Editing shown={shown} yaml={yaml} live={view.live as Fields} />
}

function Editing({ shown, yaml, live }: { shown: Shown; yaml: Yaml; live: Fields }) {
  const [base, setBase] = useState(() => editable(live))
  const [text, setText] = useState(() => yamlOf(yaml, base))
  const [trial, setTrial] = useState<Trial | undefined>(undefined)
  const [error, setError] = useState<ApiError | undefined>(undefined)
  const [busy, setBusy] = useState(false)
  const parsed = useMemo(() => read(yaml, base, text), [yaml, base, text])
  const moved = useMemo(() => mergePatch(base, editable(live)) !== undefined, [base, live])
  const unsaved = parsed.wrong !== '' || parsed.patch !== undefined
  useEffect(() => {
    if (!unsaved) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [unsaved])
  const begin = () => {
    const fresh = editable(live)
    setBase(fresh)
    setText(yamlOf(yaml, fresh))
    setTrial(undefined)
    setError(undefined)
  }
  const during = async (what: () => Promise<void>) => {
    setBusy(true)
    setError(undefined)
    try {
      await what()
    } catch (thrown) {
      setError(errorOf(thrown))
    }
    setBusy(false)
  }
  const attempt = (patch: Fields) => during(async () => setTrial(await tried(shown, patch)))
  const apply = (patch: Fields) =>
    during(async () => {
      const after = await applied(shown, patch)
      toast(`${shown.target.kind} ${shown.target.name} is changed.`)
      const fresh = editable(after)
      setBase(fresh)
      setText(yamlOf(yaml, fresh))
      setTrial(undefined)
      shown.view.again()
    })
  return (
    <div class="resource-edit">
      <Warning shown={shown} />
      <Masked shown={shown} />
      {moved && !busy && (
        <div class="resource-note row wrap">
          <span class="grow">
            The object changed in the cluster since you began. What you did not touch stays as it is there.
          </span>
          <Button small onClick={begin}>
            Begin anew from the cluster
          </Button>
        </div>
      )}
      {error && <Failure error={error} doing={trial ? 'apply the change' : 'try the change'} />}
      {trial ? (
        <Tried
          shown={shown}
          yaml={yaml}
          trial={trial}
          busy={busy}
          onBack={() => setTrial(undefined)}
          onApply={() => apply(trial.patch)}
        />
      ) : (
        <Writing
          text={text}
          onText={setText}
          parsed={parsed}
          busy={busy}
          label={`${shown.target.kind} ${shown.target.name} as YAML`}
          onTry={attempt}
          onReset={begin}
        />
      )}
    </div>
  )
}

interface Parsed {
  patch?: Fields | undefined
  /** Why the text cannot be tried; '' if it can, or if nothing was changed. */
  wrong: string
}

/** What a text changes, or what is wrong with it and where. */
function read(yaml: Yaml, base: Fields, text: string): Parsed {
  const document = yaml.parseDocument(text)
  const [problem] = document.errors
  if (problem) return { wrong: problem.message.split('\n')[0]!.replace(/:$/, '') }
  const after: unknown = document.toJS()
  const wrong = wrongWith(base, after)
  return wrong ? { wrong } : { wrong: '', patch: mergePatch(base, after as Fields) }
}

function Writing({
  text,
  onText,
  parsed,
  busy,
  label,
  onTry,
  onReset,
}: {
  text: string
  onText: (text: string) => void
  parsed: Parsed
  busy: boolean
  label: string
  onTry: (patch: Fields) => void
  onReset: () => void
}) {
  const { patch, wrong } = parsed
  return (
    <>
      <Editor text={text} onText={onText} label={label} wrong={wrong !== ''} />
      <div class="resource-foot">
        <p class={wrong ? 'grow field-error' : 'grow soft'} role="status">
          {wrong || (patch ? 'Try it first: you see what the cluster would make of it.' : 'Nothing is changed yet.')}
        </p>
        <Button onClick={onReset} disabled={!patch && !wrong}>
          Reset
        </Button>
        <Button looks="primary" busy={busy} disabled={!patch} onClick={() => patch && onTry(patch)}>
          Try the change
        </Button>
      </div>
    </>
  )
}

function Tried({
  shown,
  yaml,
  trial,
  busy,
  onBack,
  onApply,
}: {
  shown: Shown
  yaml: Yaml
  trial: Trial
  busy: boolean
  onBack: () => void
  onApply: () => void
}) {
  const [how, setHow] = useState<How>({ sides: false, whole: false })
  const texts = useMemo(() => ({ left: yamlOf(yaml, trial.before), right: yamlOf(yaml, trial.after) }), [yaml, trial])
  const hidden = hidesValues(shown.target) ? hiddenChanges(trial.patch) : []
  const nothing = texts.left === texts.right && hidden.length === 0
  const name = appWord(shown.app, settings.value?.controllerNamespace)
  return (
    <>
      {hidden.length > 0 && <p class="resource-note">Values that change and are not shown: {hidden.join(', ')}.</p>}
      {nothing ? (
        <Empty icon="info" title="The cluster would change nothing">
          It takes the change, and what comes of it is what is there already: a field it does not know, or one that
          something else sets.
        </Empty>
      ) : (
        texts.left !== texts.right && (
          <Compare {...texts} leftName="Now" rightName="After the change" how={how} onHow={setHow} />
        )
      )}
      {hidden.length === 0 && (
        <Cli
          command={[
            'app',
            'patch-resource',
            name,
            ...objectFlags(shown.target),
            '--patch',
            JSON.stringify(trial.patch),
          ]}
        />
      )}
      <div class="resource-foot">
        <p class="grow soft">Nothing is written yet. The API server tried it with its defaults and its admission.</p>
        <Button onClick={onBack}>Back to editing</Button>
        <Button looks="primary" busy={busy} disabled={nothing} onClick={onApply}>
          Apply
        </Button>
      </div>
    </>
  )
}

/** What becomes of a change of an object that a source describes. */
function Warning({ shown }: { shown: Shown }) {
  const live = useApplication()
  if (!shown.view.value?.managed) return null
  const automated = live.application.value?.spec?.syncPolicy?.automated
  const heals = automated?.selfHeal && automated.enabled !== false && !live.row.value?.held
  return (
    <p class={heals ? 'resource-message tone-warn' : 'resource-message tone-dim'}>
      {heals
        ? 'This application heals itself: what you change here is put back to what its source says, mostly within seconds. Change the source to make it stay.'
        : 'The source does not change: what it sets is put back by the next sync.'}
    </p>
  )
}

async function tried({ app, target }: Shown, patch: Fields): Promise<Trial> {
  const answer = await call('post', '/api/bowline/v1/applications/{name}/object/try', {
    path: { name: app.name },
    body: { ...objectQuery(app, target), name: app.name, patch: JSON.stringify(patch) },
  })
  const form = (of: unknown) => editable((of ?? {}) as Fields)
  return { patch, before: form(answer.before), after: form(answer.after) }
}

async function applied({ app, target }: Shown, patch: Fields): Promise<Fields> {
  const answer = await call('post', '/api/v1/applications/{name}/resource', {
    path: { name: app.name },
    query: { ...objectQuery(app, target), patchType: 'application/merge-patch+json' },
    body: JSON.stringify(patch),
  })
  return JSON.parse(answer.manifest ?? '{}') as Fields
}
