// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'
import { useLocation } from 'preact-iso'
import { IconButton, Menu, toastError } from '../kit'
import { Toasts } from '../kit/toast'
import { place } from '../route/place'
import { safeLink } from '../safe/link'
import { settings, signOut } from '../session/session'
import { session } from '../session/signal'
import { Banner } from './banner'
import { KnotIcon } from './brand'
import { Overlay } from './overlay'
import { openPalette, Palette } from './palette'
import { theme } from './theme'

/** The frame of every view: where one is, how to get elsewhere, and what was just done. */
export function Shell({ children }: { children: ComponentChildren }) {
  return (
    <>
      {/* Addresses that begin with # are of the document's base and not of this view: the focus is moved by hand. */}
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        Skip to content
      </button>
      <Banner at="top" />
      <TopBar />
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <Banner at="bottom" />
      <Toasts />
      <Palette />
      <Overlay />
    </>
  )
}

function TopBar() {
  const { path } = useLocation()
  return (
    <header class="topbar">
      <a class="brand" href={place('/applications')} aria-label="Bowline, all applications">
        <KnotIcon />
        <span class="brand-word">Bowline</span>
      </a>
      <nav class="topnav" aria-label="Main">
        <NavLink to="/applications" path={path}>
          Applications
        </NavLink>
        <NavLink to="/settings" path={path}>
          Settings
        </NavLink>
      </nav>
      <button type="button" class="finder" onClick={openPalette} aria-label="Find or do" aria-keyshortcuts="Control+K">
        <span class="finder-word">Find or do</span>
        <kbd />
      </button>
      <ThemeMenu />
      <PersonMenu />
    </header>
  )
}

function NavLink({ to, path, children }: { to: string; path: string; children: ComponentChildren }) {
  const here = path.startsWith(place(to))
  return (
    <a href={place(to)} class="topnav-link" aria-current={here ? 'page' : undefined}>
      {children}
    </a>
  )
}

function ThemeMenu() {
  const icons = { system: 'half', light: 'sun', dark: 'moon' } as const
  const words = { system: 'Like the system', light: 'Light', dark: 'Dark' } as const
  return (
    <Menu
      label="Light or dark"
      icon={icons[theme.value]}
      items={(['system', 'light', 'dark'] as const).map((one) => ({
        label: words[one],
        icon: icons[one],
        chosen: theme.value === one,
        onSelect: () => {
          theme.value = one
        },
      }))}
    />
  )
}

function PersonMenu() {
  const { route } = useLocation()
  const help = settings.value?.help
  const chat = safeLink(help?.chatUrl)
  const who = session.value
  if (who.is !== 'in') return <IconButton label="Not signed in" icon="person" />
  const leave = async (everywhere: boolean) => {
    try {
      await signOut(everywhere)
    } catch (thrown) {
      toastError(thrown, 'sign out')
    }
  }
  return (
    <Menu
      label={`Signed in as ${who.username}`}
      icon="person"
      items={[
        {
          label: `${who.username}: account and rights`,
          icon: 'person',
          onSelect: () => route(place('/settings/account')),
        },
        ...(chat
          ? [
              {
                label: help?.chatText || 'Ask for help',
                icon: 'info' as const,
                onSelect: () => void window.open(chat, '_blank', 'noopener'),
              },
            ]
          : []),
        { label: 'Sign out', icon: 'door', onSelect: () => void leave(false) },
        {
          label: 'Sign out everywhere',
          icon: 'lock',
          title: 'Ends your sessions in all browsers and programs',
          onSelect: () => void leave(true),
        },
      ]}
    />
  )
}
