// SPDX-License-Identifier: Apache-2.0

import './signin.css'
import { useEffect, useState } from 'preact/hooks'
import { type ApiError, errorOf } from '../api/error'
import { Button, Failure, TextField } from '../kit'
import { Banner } from '../shell/banner'
import { KnotIcon } from '../shell/brand'
import { learn, settings, signIn, unreachable } from './session'
import { ssoLabel, ssoPlace } from './sso'

/** How often a server that does not answer is asked again. */
const again = 3_000

/** The way in. The address stays what it was: whoever signs in is where the link led. */
export default function SignIn() {
  useEffect(() => {
    document.title = 'Sign in · Bowline'
  }, [])
  const said = settings.value
  const away = unreachable.value !== undefined
  useEffect(() => {
    if (!away) return
    const timer = setInterval(() => void learn(), again)
    return () => clearInterval(timer)
  }, [away])
  const sso = ssoLabel(said)
  return (
    <>
      <Banner at="top" />
      <main class="signin" id="content">
        <div class="signin-card card">
          <header class="signin-head">
            <KnotIcon size={40} />
            <h1>{said || !away ? 'Sign in to Bowline' : 'Bowline'}</h1>
            {said?.url && <p class="soft">{hostOf(said.url)}</p>}
          </header>
          {unreachable.value && (
            <Failure error={unreachable.value} doing="reach the server" retry={() => void learn()} />
          )}
          {sso && (
            <a
              class="button button-primary signin-wide"
              target="_top"
              href={ssoPlace(location.pathname + location.search)}
            >
              {sso}
            </a>
          )}
          {sso && !said?.userLoginsDisabled && (
            <p class="signin-or">
              <span>or with a local account</span>
            </p>
          )}
          {/* Nobody knows yet whether it is needed: who is signed in goes on once the server answers. */}
          {!said && away && <p class="soft">It is tried again every few seconds; you stay signed in if you were.</p>}
          {(said || !away) && !said?.userLoginsDisabled && <PasswordForm first={!sso} />}
          {said?.userLoginsDisabled && !sso && (
            <p class="soft">
              Local accounts are switched off and no identity provider is configured. An administrator sets oidc.config
              or dex.config in argocd-cm.
            </p>
          )}
        </div>
      </main>
    </>
  )
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : ''
}

function PasswordForm({ first }: { first: boolean }) {
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await signIn(username.trim(), password)
    } catch (thrown) {
      setError(errorOf(thrown))
      setBusy(false)
    }
  }
  return (
    <form class="stack" onSubmit={submit}>
      <TextField
        label="Username"
        name="username"
        value={username}
        onInput={setUsername}
        autocomplete="username"
        autoFocus={first}
        spellcheck={false}
      />
      <TextField
        label="Password"
        name="password"
        type="password"
        value={password}
        onInput={setPassword}
        autocomplete="current-password"
      />
      {error && <Failure error={error} doing="sign in" />}
      <Button type="submit" looks="primary" busy={busy} class="signin-wide">
        Sign in
      </Button>
    </form>
  )
}
