// Logging in with a token, as `shop up` and `shop token` print it.

import { html, useSignal } from "../core/dom.js";
import { linkRefused, login } from "../core/session.js";
import { Button, Field, Input } from "../core/ui.js";
import { Brand } from "./bar.js";

export function Login() {
  const token = useSignal("");
  const error = useSignal(linkRefused.value);
  const busy = useSignal(false);
  const submit = async (event) => {
    event.preventDefault();
    if (!token.value.trim()) {
      error.value = "Paste the token that `shop up` printed.";
      return;
    }
    busy.value = true;
    error.value = null;
    try {
      await login(token.value.trim());
    } catch (refused) {
      error.value = refused.message;
    } finally {
      busy.value = false;
    }
  };
  return html`<main class="login">
    <form class="login-card" onSubmit=${submit}>
      <h1 class="brand"><${Brand} /></h1>
      <p>This board is open to who has a token. <code>shop up</code> prints a link that logs you in; <code>shop token</code> makes more.</p>
      <${Field} label="Token" error=${error.value}>
        <${Input} type="password" autocomplete="current-password" value=${token.value} onValue=${(text) => { token.value = text; }} autofocus spellcheck=${false} />
      <//>
      <${Button} kind="primary" type="submit" disabled=${busy.value}>${busy.value ? "Logging in" : "Log in"}<//>
    </form>
  </main>`;
}
