// The board: a column for each status.

import { html } from "../core/dom.js";
import { Empty } from "../core/ui.js";

export function BoardPage() {
  return html`<${Empty} title="The board" icon="board" />`;
}
