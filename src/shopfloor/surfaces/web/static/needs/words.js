// The kinds of things that wait: how they are called and drawn.

export const KINDS = {
  question: { one: "Question", many: "Questions", icon: "question" },
  review: { one: "Review", many: "Reviews", icon: "check" },
  gave_up: { one: "Given up", many: "Given up", icon: "alert" },
  blocked: { one: "Blocked", many: "Blocked", icon: "pause" },
  block_loop: { one: "Blocked again and again", many: "Loops", icon: "refresh" },
  delivery: { one: "Not delivered", many: "Deliveries", icon: "deliveries" },
  paused: { one: "Paused", many: "Paused", icon: "pause" },
  account: { one: "Account at its limit", many: "Accounts", icon: "schedules" },
};
