// SPDX-License-Identifier: Apache-2.0

import './style/tokens.css'
import './style/base.css'
import './kit/kit.css'
import './shell/shell.css'
import { render } from 'preact'
import { App } from './app'
import { begin } from './session/session'
import { beginTheme } from './shell/theme'

beginTheme()
begin()
const place = document.getElementById('page')
if (place) render(<App />, place)
