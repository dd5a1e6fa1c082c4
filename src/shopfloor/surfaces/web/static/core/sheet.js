// A page's own stylesheet, loaded with the page and not before: `await sheet("task")` at the top of its module
// holds the page back until its styles are there, so that nothing is drawn twice.

const asked = new Map();

/** Load /static/style/NAME.css once; settled when it is there, or when it could not be had. */
export function sheet(name) {
  if (!asked.has(name)) {
    asked.set(name, new Promise((settled) => {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = `/static/style/${name}.css`;
      link.onload = settled;
      link.onerror = settled;
      document.head.append(link);
    }));
  }
  return asked.get(name);
}
