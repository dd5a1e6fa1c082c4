// A command as a line of words: written as a shell would read it, and read without running a shell.

const PLAIN = /^[\w@%+=:,./-]+$/;

/** The words of a command in one line, each quoted where it has to be. */
export function commandLine(argv) {
  return argv.map((word) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}

/** The words of a line: blanks part them, quotes keep them together; null while a quote is open. */
export function commandWords(line) {
  const words = [];
  let word = null;
  let quote = null;
  for (let at = 0; at < line.length; at += 1) {
    const letter = line[at];
    if (quote === null && /\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (quote === null && (letter === "'" || letter === '"')) {
      quote = letter;
      word ??= "";
    } else if (letter === quote) {
      quote = null;
    } else {
      if (letter === "\\" && quote !== "'" && at + 1 < line.length) at += 1;
      word = (word ?? "") + line[at];
    }
  }
  if (quote !== null) return null;
  return word === null ? words : [...words, word];
}
