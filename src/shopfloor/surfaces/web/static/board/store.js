// The cards of one board as this browser knows them: columns of numbers, a signal for each card.
//
// A change is heard of by its event, read by its number and put where it belongs; only what shows that card is
// drawn again.  A column knows how many cards it has on the server and the first of them, page by page; a
// card beyond what is loaded is counted and not kept.

import { batch, signal } from "../core/dom.js";
import { call, isPassing } from "../core/api.js";
import { STATUSES } from "../core/lifecycle.js";
import { LEAVING, LEAVING_MS, onEvent, onResync, seen } from "../core/live.js";
import { refuse } from "../core/toast.js";

const FIRST_PAGE = 40;
const ENDED_PAGE = 20;
const NEXT_PAGE = 200;
const IDS_MOST = 200;
const AGAIN_MS = 2000;
const TOGETHER_MS = 40;
// Each reading counts again what has the words, which on a large board is work.
const SEARCHED_TOGETHER_MS = 1000;
const ENDED = new Set(["done", "cancelled", "archived"]);

/** A board's cards, narrowed by a filter {assignee, tenant, text}. */
export class Store {
  constructor(board, filter = {}, { archived = false, together = filter.text ? SEARCHED_TOGETHER_MS : TOGETHER_MS } = {}) {
    this.board = board;
    this.filter = filter;
    this.together = together;
    this.statuses = STATUSES.filter((status) => status !== "archived" || archived);
    this.cards = new Map();
    this.columns = new Map(this.statuses.map((status) => [status, {
      status, count: signal(0), ids: signal([]), next: null, reading: false, read: signal(false),
    }]));
    this.ready = signal(false);
    this.failed = signal(null);
    this.version = signal(0);
    // Cards that are shown where they are being moved: {id: {from, to}}.
    this.moved = new Map();
    // Where cards were that are not there any more: {id: {status, at}}.
    this.left = new Map();
    this.waiting = new Set();
    this.busy = false;
    this.timer = null;
    this.leaving = null;
    this.closed = false;
    // How often the board was read anew: what was asked for before is not put over it.
    this.turn = 0;
    this.asking = new AbortController();
    this.offs = [onEvent((event) => this.heard(event)), onResync(() => this.load(), { says: true })];
  }

  close() {
    this.closed = true;
    this.asking.abort();
    clearTimeout(this.timer);
    clearTimeout(this.leaving);
    this.offs.forEach((off) => off());
  }

  ask(args) {
    const given = Object.entries(this.filter).filter(([, value]) => value !== null && value !== undefined);
    return call("task.cards", { ...Object.fromEntries(given), ...args }, { board: this.board, signal: this.asking.signal });
  }

  /** Read the board anew: what is open first, what is over behind it. */
  async load() {
    this.turn += 1;
    try {
      const open = this.statuses.filter((status) => !ENDED.has(status));
      const first = await this.ask({ statuses: open, limit: FIRST_PAGE });
      this.fill(first);
      this.ready.value = true;
      this.fill(await this.ask({ statuses: this.statuses.filter((status) => ENDED.has(status)), limit: ENDED_PAGE }));
    } catch (refused) {
      if (this.closed) return;
      if (!this.ready.value) this.failed.value = refused;
      else refuse(refused, "Reading the board");
    }
  }

  fill(page) {
    if (this.closed) return;
    seen(page.last);
    batch(() => {
      for (const read of page.columns) {
        const column = this.columns.get(read.status);
        if (!column) continue;
        for (const card of read.items) this.keep(card);
        column.ids.value = read.items.map((card) => card.id);
        column.count.value = read.count;
        column.next = read.next;
        column.read.value = true;
      }
      this.version.value += 1;
    });
  }

  /** Read the next page of a column; nothing where there is none. */
  async more(status) {
    const column = this.columns.get(status);
    if (!column.next || column.reading) return;
    column.reading = true;
    const after = column.next;
    try {
      const page = await this.ask({ statuses: [status], limit: NEXT_PAGE, after });
      // Where the board was read anew meanwhile, this is not the next page any more.
      if (this.closed || column.next !== after) return;
      const [read] = page.columns.filter((one) => one.status === status);
      batch(() => {
        for (const card of read.items) this.keep(card);
        const known = new Set(column.ids.value);
        column.ids.value = [...column.ids.value, ...read.items.map((card) => card.id).filter((id) => !known.has(id))];
        column.count.value = read.count;
        column.next = read.next;
        this.version.value += 1;
      });
    } catch (refused) {
      refuse(refused, `Reading more of “${status}”`);
    } finally {
      column.reading = false;
    }
  }

  keep(card) {
    const known = this.cards.get(card.id);
    if (known) known.value = card;
    else this.cards.set(card.id, signal(card));
    if (isLeaving(card)) this.leaving ??= setTimeout(() => this.askWhoLeaves(), LEAVING_MS);
  }

  /** Read again the cards whose last worker was still leaving. */
  askWhoLeaves() {
    this.leaving = null;
    const ids = [...this.cards.values()].map((card) => card.peek()).filter(isLeaving).map((card) => card.id);
    if (document.hidden) this.leaving = setTimeout(() => this.askWhoLeaves(), LEAVING_MS);
    else if (ids.length) this.refresh(ids);
  }

  /** The card of a task, as it is now; undefined where it is not loaded. */
  card(id) {
    return this.cards.get(id)?.value;
  }

  heard(event) {
    const task = event.task ?? (event.kind === "deleted" ? event.data.task : null);
    if (task === null) {
      // A pause of the board or of a profile changes why cards wait, and names none of them.
      for (const status of ["ready", "review"]) this.columns.get(status)?.ids.peek().slice(0, FIRST_PAGE).forEach((id) => this.waiting.add(id));
    } else this.waiting.add(task);
    this.soon();
  }

  soon() {
    if (this.busy || this.timer !== null || this.closed) return;
    // The first change is read at once; those that come while it is read are read together.
    this.timer = setTimeout(() => this.flush(), 0);
  }

  async flush() {
    this.timer = null;
    const ids = [...this.waiting].slice(0, IDS_MOST);
    ids.forEach((id) => this.waiting.delete(id));
    this.busy = true;
    let rest = this.together;
    const { turn } = this;
    try {
      const page = ids.length ? await this.ask({ ids }) : null;
      if (turn !== this.turn) ids.forEach((id) => this.waiting.add(id));
      else if (page) this.apply(page, ids);
    } catch (refused) {
      if (!isPassing(refused)) return;
      ids.forEach((id) => this.waiting.add(id));
      rest = AGAIN_MS;
    } finally {
      this.busy = false;
      if (this.waiting.size && !this.closed) this.timer = setTimeout(() => this.flush(), rest);
    }
  }

  /** Read these cards again now. */
  refresh(ids) {
    ids.forEach((id) => this.waiting.add(id));
    this.soon();
  }

  apply(page, asked) {
    if (this.closed) return;
    batch(() => {
      const gone = new Set(asked);
      for (const read of page.columns) {
        for (const card of read.items) {
          gone.delete(card.id);
          const moved = this.moved.get(card.id);
          if (moved) moved.from = card.status;
          else this.place(card);
        }
      }
      for (const read of page.columns) {
        const column = this.columns.get(read.status);
        const moved = [...this.moved.values()].filter(({ from, to }) => from !== to);
        const more = moved.filter(({ to }) => to === read.status).length - moved.filter(({ from }) => from === read.status).length;
        if (column) column.count.value = read.count + more;
      }
      gone.forEach((id) => this.remove(id));
      this.version.value += 1;
    });
  }

  /** Put a card where it belongs; one beyond what its column has loaded is only counted. */
  place(card) {
    const before = this.cards.get(card.id)?.peek();
    const column = this.columns.get(card.status);
    const stays = before && before.status === card.status && before.priority === card.priority && (!ENDED.has(card.status) || before.since === card.since);
    if (before && !stays) this.take(card.id, before.status);
    this.keep(card);
    if (!column || (stays && column.ids.peek().includes(card.id))) return;
    const ids = column.ids.peek();
    const at = this.rank(card, ids);
    if (at === ids.length && column.next) return;
    column.ids.value = [...ids.slice(0, at), card.id, ...ids.slice(at)];
  }

  rank(card, ids) {
    let [low, high] = [0, ids.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comesBefore(this.cards.get(ids[middle]).peek(), card)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  take(id, status) {
    const column = this.columns.get(status);
    if (!column) return;
    this.left.set(id, { status, at: Math.max(0, column.ids.peek().indexOf(id)) });
    column.ids.value = column.ids.peek().filter((one) => one !== id);
  }

  remove(id) {
    const known = this.cards.get(id)?.peek();
    if (!known) return;
    this.take(id, known.status);
    this.cards.delete(id);
  }

  /** Show cards in another column before the server has answered; what it answers ends that, or takes it back. */
  pretend(ids, status) {
    const before = ids.map((id) => this.cards.get(id)?.peek()).filter(Boolean);
    const shift = (cards) => batch(() => {
      for (const card of cards) {
        const [from, to] = [this.columns.get(this.cards.get(card.id)?.peek().status), this.columns.get(card.status)];
        this.place(card);
        if (from && to && from !== to) {
          from.count.value -= 1;
          to.count.value += 1;
        }
      }
      this.version.value += 1;
    });
    shift(before.map((card) => ({ ...card, status, moving: true, since: new Date().toISOString() })));
    before.forEach((card) => this.moved.set(card.id, { from: card.status, to: status }));
    return ({ back }) => {
      before.forEach((card) => this.moved.delete(card.id));
      if (back) shift(before.filter((card) => this.cards.get(card.id)?.peek().moving));
    };
  }
}

function isLeaving(card) {
  return card.why.code === LEAVING || card.now?.state === "leaving";
}

function comesBefore(left, right) {
  if (ENDED.has(right.status)) return left.since > right.since || (left.since === right.since && left.id > right.id);
  return left.priority > right.priority || (left.priority === right.priority && left.id < right.id);
}
