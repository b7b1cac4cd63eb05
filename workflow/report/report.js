// What a page can do besides being read: sort and search its flat tables, open what a link points into, print it all.
// Without this script every table and figure is there all the same.
"use strict";

(() => {
  const SEARCHABLE = 15; // rows from which on a search box helps
  const AFTER = { null: "ascending", ascending: "descending", descending: null };
  const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  // A cell sorts by its value where it has one, else by its text; what is empty comes last either way.
  const keyOf = (cell) => {
    const value = cell.dataset.v ?? cell.textContent.trim();
    return value !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
  };

  const compare = (a, b, direction) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    if (typeof a !== typeof b) return (typeof a === "string") - (typeof b === "string");
    return direction * (typeof a === "number" ? a - b : order.compare(a, b));
  };

  const sortable = (table) => {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    heads.forEach((head, place) => {
      const button = element("button", { type: "button" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = AFTER[head.getAttribute("aria-sort")];
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        if (next) head.setAttribute("aria-sort", next);
        const direction = next === "descending" ? -1 : 1;
        const rows = next
          ? original
              .map((row) => [keyOf(row.cells[place]), row])
              .sort(([a], [b]) => compare(a, b, direction))
              .map(([, row]) => row)
          : original;
        body.append(...rows);
      });
    });
  };

  const searchable = (table) => {
    const rows = [...table.tBodies[0].rows];
    if (rows.length < SEARCHABLE) return;
    const box = table.closest(".table");
    const input = element("input", { type: "search", id: `${box.id}-find` });
    const label = element("label", { htmlFor: input.id, textContent: "Search this table" });
    const found = element("output");
    found.htmlFor.add(input.id);
    const texts = rows.map((row) => row.textContent.toLowerCase());
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, place) => {
        row.hidden = !words.every((word) => texts[place].includes(word));
        shown += !row.hidden;
      });
      found.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
    });
    box.prepend(element("div", { className: "find" }, label, input, found));
  };

  // Only a box that scrolls needs to be reached by keyboard.
  const watchScrolling = () => {
    const update = (box) => {
      box.tabIndex = box.scrollWidth > box.clientWidth + 1 ? 0 : -1;
    };
    const boxes = document.querySelectorAll(".scroll");
    const watch = new ResizeObserver((entries) => entries.forEach(({ target }) => update(target)));
    boxes.forEach((box) => { update(box); watch.observe(box); });
    addEventListener("toggle", () => boxes.forEach(update), true);
  };

  // What a link points to may lie in a part that is closed.
  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let part = target.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
    target.scrollIntoView();
  };

  document.querySelectorAll("table[data-flat]").forEach((table) => {
    sortable(table);
    searchable(table);
  });
  watchScrolling();
  addEventListener("hashchange", openTarget);
  openTarget();

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("main details:not([open])")];
    opened.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((part) => { part.open = false; }));
})();
