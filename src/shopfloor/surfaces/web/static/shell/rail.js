// The navigation: a rail at the side, a bar at the bottom of a phone.  It shows the pages that have an icon.

import { html, useEffect, useRef } from "../core/dom.js";
import { keysOf, allCommands, readable } from "../core/keys.js";
import { allPages, inBoard, route } from "../core/route.js";
import { Icon } from "../core/ui.js";

export function Rail() {
  const here = route.value.page;
  const shown = here?.drawer ? allPages()[0] : here;
  const ref = useRef(null);
  // On a phone the pages do not all fit into the bar.
  useEffect(() => { ref.current.querySelector("[aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" }); }, [shown]);
  return html`<nav ref=${ref} class="rail" aria-label="Pages">
    ${allPages().filter((page) => page.icon && page.names.join() === "board").map((page) => html`
      <a key=${page.pattern} class="rail-link" href=${inBoard(page.pattern.replace("/b/:board", ""))} title=${hint(page)}
          aria-current=${page === shown ? "page" : null}>
        <${Icon} name=${page.icon} size="18" /><span>${page.title}</span>
        ${page.badge?.value ? html`<span class="badge">${page.badge.value}</span>` : null}
      </a>`)}
  </nav>`;
}

function hint(page) {
  const known = allCommands().find((one) => one.id === `go.${page.title}`);
  return known ? `${page.title} (${readable(keysOf(known)[0])})` : page.title;
}
