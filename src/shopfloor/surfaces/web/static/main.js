// Where the dashboard begins: the pages are registered, the shell is drawn, and the server is asked who we are.

import { html, render } from "./core/dom.js";
import { loadSession } from "./core/session.js";
import { refuse } from "./core/toast.js";
import "./pages.js";
import { Shell } from "./shell/shell.js";

render(html`<${Shell} />`, document.getElementById("app"));
loadSession().catch((refused) => refuse(refused, "Starting"));
