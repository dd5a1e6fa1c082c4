// The pages, one line each: which address shows which component, and how the navigation shows it.
//
// The board is loaded at once, every other page when it is shown first.

import { lazy, page } from "./core/route.js";
import { BoardPage } from "./board/page.js";

page("/b/:board", BoardPage, { title: "Board", key: "b", icon: "board" });
