// What the page can do besides being read: chapters as tabs, one metric, changes only, values at marks, copying.
// Without this script every chapter, table and figure is there all the same.
"use strict";

(() => {
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const one = (what, within = document) => within.querySelector(what);
  const tell = (text) => { one("[role=status]").textContent = text; };

  // --- chapters as tabs ---
  const panels = all(".panel");
  const tabs = all(".tabs a").map((link) => ({ link, panel: one(link.hash) }));
  const metric = one(".metric");

  const show = (panel) => {
    panels.forEach((other) => { other.hidden = other !== panel; });
    tabs.forEach(({ link, panel: own }) => {
      link.setAttribute("aria-selected", own === panel);
      link.tabIndex = own === panel ? 0 : -1;
    });
    const { link } = tabs.find(({ panel: own }) => own === panel);
    const bar = one(".tabs");
    bar.scrollLeft = link.offsetLeft - bar.offsetLeft - (bar.clientWidth - link.offsetWidth) / 2;
    if (metric) metric.hidden = !one("[data-unit]", panel);
  };

  // A link may point into another chapter, or to a table in the other metric.
  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const panel = target?.closest(".panel");
    if (!panel) return;
    show(panel);
    const unit = target.closest("[data-unit]")?.dataset.unit;
    if (unit) choose(unit);
    if (target === panel) scrollTo(0, 0);
    else target.scrollIntoView();
  };

  const makeTabs = () => {
    document.body.classList.add("tabbed");
    const list = one(".tabs");
    list.setAttribute("role", "tablist");
    tabs.forEach(({ link, panel }, place) => {
      link.id = `tab-${panel.id}`;
      link.setAttribute("role", "tab");
      link.setAttribute("aria-controls", panel.id);
      link.parentElement.setAttribute("role", "presentation");
      panel.setAttribute("role", "tabpanel");
      panel.tabIndex = -1;
      link.addEventListener("click", () => show(panel));
      link.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1, Home: -place, End: tabs.length - 1 - place }[event.key];
        if (step === undefined) {
          if (event.key === " ") { event.preventDefault(); link.click(); }
          return;
        }
        event.preventDefault();
        const next = tabs[(place + step + tabs.length) % tabs.length].link;
        next.click();
        next.focus();
      });
    });
    show(panels[0]);
  };

  // --- the current section ---
  const watchSections = () => all(".within").forEach((within) => {
    const links = all("a", within);
    const heads = links.map((link) => document.getElementById(link.hash.slice(1)));
    const mark = () => {
      if (!within.offsetParent) return;
      const passed = heads.filter((head) => head.getBoundingClientRect().top < 120).length;
      links.forEach((link, place) => {
        if (place === Math.max(passed - 1, 0)) link.setAttribute("aria-current", "location");
        else link.removeAttribute("aria-current");
      });
    };
    addEventListener("scroll", mark, { passive: true });
    addEventListener("hashchange", mark);
  });

  // --- one metric ---
  const choose = (unit) => {
    all("[data-unit]").forEach((table) => { table.hidden = table.dataset.unit !== unit; });
    all("input", metric).forEach((input) => { input.checked = input.value === unit; });
  };

  // --- changes only: rows in which something is decided ---
  const offerChanges = () => all(".table").forEach((box) => {
    const rows = all("tbody tr", box).filter((row) => one("td", row));
    const still = rows.filter((row) => !one(".up, .down", row));
    if (still.length < 3 || still.length === rows.length) return;
    const choices = document.createElement("div");
    choices.className = "rows";
    choices.setAttribute("role", "group");
    choices.setAttribute("aria-label", "Rows");
    ["All rows", "Changes only"].forEach((text, place) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
      button.setAttribute("aria-pressed", place === 0);
      button.addEventListener("click", () => {
        still.forEach((row) => { row.hidden = place === 1; });
        all("button", choices).forEach((other) => other.setAttribute("aria-pressed", other === button));
        tell(place ? `${rows.length - still.length} of ${rows.length} rows` : "All rows");
      });
      choices.append(button);
    });
    one(".title", box).after(choices);
  });

  // --- values at marks: on hover, on focus, and by arrow keys from one to the next ---
  const offerValues = () => {
    const value = one(".told");
    const put = (mark) => {
      const { left, bottom, width } = mark.getBoundingClientRect();
      value.textContent = mark.getAttribute("aria-label");
      value.hidden = false;
      value.style.left = `${Math.max(4, Math.min(left + width / 2, innerWidth - value.offsetWidth - 8))}px`;
      value.style.top = `${Math.min(bottom + 6, innerHeight - value.offsetHeight - 4)}px`;
    };
    const hide = () => { value.hidden = true; };
    all(".drawing > svg").forEach((drawing) => {
      const marks = all(".value", drawing);
      marks.forEach((mark, place) => {
        const title = one("title", mark);
        mark.setAttribute("role", "img");
        mark.setAttribute("aria-label", title.textContent);
        mark.setAttribute("tabindex", place ? -1 : 0);
        title.remove(); // the browser would show it a second time
      });
      const markOf = (event) => event.target.closest("[role=img]");
      drawing.addEventListener("pointerover", (event) => (markOf(event) ? put(markOf(event)) : hide()));
      drawing.addEventListener("pointerleave", hide);
      drawing.addEventListener("focusin", (event) => markOf(event) && put(markOf(event)));
      drawing.addEventListener("focusout", hide);
      drawing.addEventListener("keydown", (event) => {
        if (event.key === "Escape") return hide();
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        const next = marks[marks.indexOf(markOf(event)) + step];
        if (!next) return;
        event.preventDefault();
        marks.forEach((mark) => mark.setAttribute("tabindex", mark === next ? 0 : -1));
        next.focus();
      });
    });
    addEventListener("scroll", () => {
      const mark = document.activeElement.closest(".drawing [role=img]");
      if (mark) put(mark);
      else hide();
    }, { passive: true });
  };

  // --- copying ---
  const copy = (node) => {
    const chosen = getSelection();
    chosen.removeAllRanges();
    chosen.selectAllChildren(node);
    const done = document.execCommand("copy");
    chosen.removeAllRanges();
    tell(done ? "Copied" : "This browser does not let a page copy");
  };
  const offerCopying = () => all("[data-copy], [data-table]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      if (button.dataset.table) return copy(one(".scroll", document.getElementById(button.dataset.table)));
      const words = Object.assign(document.createElement("p"), { textContent: button.dataset.copy });
      button.after(words);
      copy(words);
      words.remove();
    });
  });

  // Only a box that scrolls needs to be reached by keyboard.
  const watchScrolling = () => {
    const watch = new ResizeObserver((entries) => entries.forEach(({ target: box }) => {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }));
    all(".scroll, .drawing").forEach((box) => watch.observe(box));
  };

  makeTabs();
  watchSections();
  if (metric) {
    choose(one("input:checked", metric).value);
    metric.addEventListener("change", (event) => choose(event.target.value));
  }
  offerChanges();
  offerValues();
  offerCopying();
  watchScrolling();
  addEventListener("hashchange", openTarget);
  openTarget();
})();
