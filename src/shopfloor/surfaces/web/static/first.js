// Before anything is drawn: the theme that a person chose, so that the page does not flash in the other one.
// A classic script, because a module would run too late.

try {
  const theme = JSON.parse(localStorage.getItem("shopfloor.theme") ?? "null");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // What cannot be read was not chosen.
}
