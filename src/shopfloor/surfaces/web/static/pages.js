// The pages, one line each: which address shows which component, and how the navigation shows it.
//
// The board is loaded at once, every other page when it is shown first.

import { lazy, page } from "./core/route.js";
import { BoardPage } from "./board/page.js";
import { waiting } from "./needs/state.js";

page("/b/:board", BoardPage, { title: "Board", key: "b", icon: "board" });
page("/b/:board/t/:task", lazy(() => import("./task/page.js"), "TaskPage"), { title: "Task", drawer: true });
page("/b/:board/needs", lazy(() => import("./needs/page.js"), "NeedsPage"), { title: "Needs you", key: "n", icon: "needs", badge: waiting });
page("/b/:board/graph/:task", lazy(() => import("./graph/page.js"), "GraphPage"), { title: "Graph" });
page("/b/:board/timeline", lazy(() => import("./timeline/page.js"), "TimelinePage"), { title: "Timeline", key: "t", icon: "timeline" });
page("/b/:board/stats", lazy(() => import("./stats/page.js"), "StatsPage"), { title: "Statistics", key: "s", icon: "stats" });
page("/b/:board/orders", lazy(() => import("./orders/page.js"), "OrdersPage"), { title: "Orders", key: "o", icon: "orders" });
page("/b/:board/schedules", lazy(() => import("./schedules/page.js"), "SchedulesPage"), { title: "Schedules", key: "c", icon: "schedules" });
page("/b/:board/deliveries", lazy(() => import("./deliveries/page.js"), "DeliveriesPage"), { title: "Deliveries", key: "d", icon: "deliveries" });
page("/b/:board/hosts", lazy(() => import("./hosts/page.js"), "HostsPage"), { title: "Hosts", key: "h", icon: "hosts" });
page("/b/:board/settings", lazy(() => import("./settings/page.js"), "SettingsPage"), { title: "Settings", key: ",", icon: "settings" });
