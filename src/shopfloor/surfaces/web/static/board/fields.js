// Fields that several of the board's dialogs have.

import { html } from "../core/dom.js";
import { Field, Select } from "../core/ui.js";

/** Which profile works on it; `chosen` is a signal with its name, empty for nobody. */
export function Profiles({ chosen, profiles, label = "Assignee" }) {
  const listed = [["", "nobody yet"], ...profiles.map((one) => [one.name, one.description ? `${one.name}: ${one.description}` : one.name])];
  if (chosen.value && !listed.some(([name]) => name === chosen.value)) listed.push([chosen.value, `${chosen.value} (not on this host)`]);
  return html`<${Field} label=${label}><${Select} value=${chosen.value} onValue=${(name) => { chosen.value = name; }} options=${listed} /><//>`;
}
